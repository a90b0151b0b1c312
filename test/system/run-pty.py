"""Runs a command on a terminal of its own and talks to it.

    run-pty.py SECONDS STEPS COMMAND...

SECONDS is how long all of it may take. STEPS is JSON: ["wait", text] reads until the text has come, ["type", text], ["resize", rows,
columns], ["signal", number] to the command. At the end the output is printed, then whether the
terminal's mode is as it was, then the exit status.
"""
import fcntl, json, os, pty, select, signal, struct, sys, termios

patience, steps, argv = int(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:]
master, slave = pty.openpty()


def resize(rows, columns):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


resize(40, 100)
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.close(master)
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(slave, fd)
    os.execv(argv[0], argv)

seen = b""
ended = None


def read(seconds):
    """Takes what comes in the next moment."""
    global seen
    if select.select([master], [], [], seconds)[0]:
        seen += os.read(master, 65536)
        return True
    return False


def give_up(*_):
    os.kill(pid, signal.SIGKILL)
    sys.exit(f"waited in vain; the screen is {seen!r}")


signal.signal(signal.SIGALRM, give_up)
signal.alarm(patience)
searched = 0
for name, *values in steps:
    if name == "wait":
        text = values[0].encode()
        while text not in seen[searched:]:
            read(1)
        searched = seen.index(text, searched) + len(text)
    elif name == "type":
        os.write(master, values[0].encode())
    elif name == "resize":
        resize(*values)
    elif name == "signal":
        os.kill(pid, values[0])
while ended is None:
    read(0.02)
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        ended = os.waitstatus_to_exitcode(status)
while read(0):
    pass
print(seen.decode().replace("\r\n", "\n"), end="")
print("\nmode", "restored" if termios.tcgetattr(slave) == before else "changed")
print("status", ended)
