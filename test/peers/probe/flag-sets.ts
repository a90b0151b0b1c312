/** What containers are run with: name of the set, flags of `tsimg run`. */
export const FLAG_SETS: ReadonlyMap<string, readonly string[]> = new Map([
  ["no flags", []],
  ["another user", "--user 1000:1000 --cap-drop ALL --cap-add NET_ADMIN".split(" ")],
  ["privileged", ["--privileged"]],
  ["limits", "--read-only --tmpfs /tmp --memory 64m --pids-limit 50".split(" ")],
  ["terminal", ["-it"]],
  [
    "security options",
    "--security-opt no-new-privileges --security-opt seccomp=unconfined".split(" "),
  ],
  ["init", ["--init"]],
  ["host network", ["--network", "host"]],
  ["mapped users", "--uidmap 0:100000:65536 --gidmap 0:100000:65536".split(" ")],
  ["host processes", ["--pid", "host"]],
  ["host IPC", ["--ipc", "host"]],
  [
    "process limits",
    "--ulimit nofile=64:128 --ulimit core=0 --sysctl net.ipv4.ip_forward=1 --shm-size 3m".split(
      " ",
    ),
  ],
  ["devices", "--device /dev/fuse:/dev/other:r --device /dev/full".split(" ")],
  ["odd caller", []],
]);

/** A caller that ignores signals, keeps files to itself, has few descriptors, and is nice. */
export const ODD_CALLER = [
  ...["sh", "-c", 'trap "" HUP USR1; umask 077; ulimit -n 900; exec nice -n 5 "$@"', "sh"],
];
