#!/usr/bin/env python3
"""Receives the terminal of a container by a console socket and prints what is written there.

    console.py SOCKET COMMAND...

COMMAND must send one terminal to SOCKET, a path that doesn't exist yet.
"""
import array, os, socket, subprocess, sys

path, command = sys.argv[1], sys.argv[2:]
server = socket.socket(socket.AF_UNIX)
server.bind(path)
server.listen(1)
server.settimeout(30)
runtime = subprocess.Popen(command, stdin=subprocess.DEVNULL)
client, _ = server.accept()
fds = array.array("i")
_, ancillary, _, _ = client.recvmsg(4096, socket.CMSG_LEN(fds.itemsize))
fds.frombytes(ancillary[0][2])
seen = b""
while True:
    try:
        chunk = os.read(fds[0], 4096)
    except OSError:  # The last process that had the terminal is gone.
        break
    if not chunk:
        break
    seen += chunk
print("console:", seen.decode().strip(), "- status", runtime.wait(), flush=True)
os.unlink(path)
