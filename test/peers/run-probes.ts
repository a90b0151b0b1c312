import { readlinkSync } from "node:fs";

/** A command whose output and status must not depend on what runs it. */
export interface Probe {
  readonly name: string;
  readonly command: readonly string[];
  /** What of the standard output is compared; all of it by default. */
  readonly comparable?: (output: string) => string;
  /** Each tool reports it in its own words: only the status is compared. */
  readonly statusOnly?: true;
}

function shell(name: string, script: string, comparable?: (output: string) => string): Probe {
  return { name, command: ["sh", "-c", script], ...(comparable && { comparable }) };
}

/** For an image with Debian's usual programs. */
export const DEBIAN_PROBES: readonly Probe[] = [
  { name: "the release of the image", command: ["cat", "/etc/os-release"] },
  { name: "the user and its groups", command: ["id"] },
  shell("the working directory and the umask", "pwd; umask"),
  // Their host name is their container's id, which is each its own.
  shell("the environment", "env | grep -v ^HOSTNAME= | sort"),
  shell("a host name of the id's length", "hostname | wc -c; cat /etc/hostname | wc -c"),
  shell("the nodes in /dev", "find /dev -printf '%p %M %u:%g %l\\n' | sort"),
  shell("device numbers", "cd /dev; stat -c '%n %t:%T' null zero full tty random urandom"),
  shell(
    "capabilities, seccomp and privileges",
    "grep -E '^(Cap|Seccomp:|NoNewPrivs|Uid|Gid|Groups)' /proc/self/status",
  ),
  shell("limits", "cat /proc/self/limits"),
  shell("identity maps", "cat /proc/self/uid_map /proc/self/gid_map"),
  {
    name: "namespaces of its own",
    command: ["sh", "-c", "for n in pid mnt uts ipc net user; do readlink /proc/self/ns/$n; done"],
    comparable: ownOrHosts,
  },
  { name: "mounts", command: ["cat", "/proc/self/mountinfo"], comparable: mountTable },
  shell("network interfaces", "cat /proc/net/dev | cut -d: -f1"),
  shell("masked paths", "for f in kcore keys timer_list; do wc -c </proc/$f; done 2>&1"),
  shell("empty masked directories", "ls /proc/acpi /proc/scsi /sys/firmware 2>&1"),
  shell("read-only /proc/sys", "echo 1 >/proc/sys/kernel/panic"),
  shell("read-only /sys", "touch /sys/new; echo 1 >/sys/kernel/profiling"),
  shell("a writable root", "echo text >/file && cat /file && mkdir /srv/a && rmdir /srv/a"),
  shell("a shared /dev/shm", "stat -fc '%T %S' /dev/shm; stat -c %a /dev/shm"),
  shell("mounts refused", "mount -t tmpfs tmpfs /mnt"),
  shell("user namespaces refused", "unshare --user true"),
  shell("devices of the host refused", "mknod /disk b 7 0 && head -c 1 /disk"),
  shell(
    "setuid programs",
    "cp /bin/cat /cat; chmod 4755 /cat;" +
      " setpriv --reuid=1 --regid=1 --clear-groups /cat /proc/self/status | grep -E '^(Uid|Cap)'",
  ),
  shell("the clock refused", "date -s 2001-02-03"),
  shell("raw ports and owners allowed", "touch /owned && chown 7:8 /owned && stat -c %u:%g /owned"),
  shell("process 1 and what it sees", "echo $$; cd /proc; echo [0-9]*"),
  shell("standard error apart", "echo out; echo error >&2"),
  shell("an exit status", "exit 3"),
  shell("process 1 safe from its own signals", "kill -KILL $$; echo alive"),
  shell("death of a child by signal", "sh -c 'kill -KILL $$'; exit $?"),
  { name: "a command that isn't there", command: ["no-such-command"], statusOnly: true },
  { name: "a command that can't run", command: ["/etc/passwd"], statusOnly: true },
  { name: "a directory as command", command: ["/etc"], statusOnly: true },
];

/** For the first layer of the awkward image. */
export const SPECIAL_FILE_PROBES: readonly Probe[] = [
  shell("setuid and setgid programs", "stat -c '%n %a %u:%g' /usr/bin/set*id"),
  shell("names that aren't UTF-8", "cd /etc; echo latin1-* dir-*/* | od -c"),
  shell(
    "a device node",
    "stat -c '%F %t:%T' /usr/share/null-copy; echo text >/usr/share/null-copy",
  ),
  shell(
    "hard links",
    "ls -i /usr/share/a/one /usr/share/b/two /home/user/three | uniq -w 8 | wc -l",
  ),
  shell("a sparse file", "stat -c '%s' /var/sparse; od -c /var/sparse"),
  shell("a link that leads upwards", "cat /usr/share/upwards"),
  shell("odd modes", "stat -c '%n %a' /var/mode-* /var/dir-*"),
  shell(
    "a program with cap_setuid=ep",
    // busybox goes by the name it has; CapEff is that of the reading process itself.
    "ln /usr/bin/capable /cat;" +
      " busybox su -s /bin/sh user -c '/bin/cat /proc/self/status; /cat /proc/self/status' |" +
      " busybox grep -E '^(Uid|CapPrm|CapEff)'",
  ),
];

/** Which namespaces are this process's own, whatever their numbers. */
function ownOrHosts(output: string): string {
  const lines = output.trim().split("\n");
  return lines
    .map((line) => {
      const [kind = ""] = line.split(":");
      const own = readlinkSync(`/proc/self/ns/${kind}`);
      return `${kind} ${line === own ? "is the host's" : "is its own"}`;
    })
    .join("\n");
}

/** Where tsimg mounts something else than Debian 12's docker (20.10), with the reason. */
const MOUNTS_APART: Readonly<Record<string, string>> = {
  "/sys/fs/cgroup": "hangs on the cgroup namespace, which docker hasn't got on version 1",
  "/proc/interrupts": "newer dockers mask it, too (moby#49560)",
  "/sys/devices/virtual/powercap": "newer dockers mask it, too: it tells what others compute",
};

/**
 * Mount point, per-mount options and type; see proc_pid_mountinfo(5). Ids and sources differ, so
 * does the file system that the files in /etc are bound from.
 */
function mountTable(output: string): string {
  const lines = output.trim().split("\n");
  const mounts = lines.map((line) => line.split(" "));
  const compared = mounts.filter(([, , , , point = ""]) => {
    return !Object.keys(MOUNTS_APART).some((apart) => `${point}/`.startsWith(`${apart}/`));
  });
  const rows = compared.map((fields) => {
    const [, , , , point, options] = fields;
    const type = point?.startsWith("/etc/") ? "file" : fields[fields.indexOf("-") + 1];
    return `${point} ${options} ${type}`;
  });
  return rows.sort().join("\n");
}
