/** Machines that a tape can be made for. */
export type Machine = "x86_64" | "aarch64";

/** Numbers: x86_64, then arm64 (the kernel's generic table). */
const NUMBERS = {
  bind: [49, 200],
  bpf: [321, 280],
  capset: [126, 91],
  chdir: [80, 49],
  close: [3, 57],
  connect: [42, 203],
  close_range: [436, 436],
  dup3: [292, 24],
  execve: [59, 221],
  faccessat: [269, 48],
  fchdir: [81, 50],
  fchown: [93, 55],
  fchownat: [260, 54],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fsopen: [430, 430],
  getpid: [39, 172],
  ioctl: [16, 29],
  keyctl: [250, 219],
  mkdirat: [258, 34],
  mknodat: [259, 33],
  mount: [165, 40],
  mount_setattr: [442, 442],
  move_mount: [429, 429],
  open_tree: [428, 428],
  openat: [257, 56],
  openat2: [437, 437],
  pidfd_open: [434, 434],
  pivot_root: [155, 41],
  ppoll: [271, 73],
  prctl: [157, 167],
  prlimit64: [302, 261],
  read: [0, 63],
  recvfrom: [45, 207],
  rt_sigprocmask: [14, 135],
  seccomp: [317, 277],
  sendmsg: [46, 211],
  sendto: [44, 206],
  setdomainname: [171, 162],
  setgroups: [116, 159],
  sethostname: [170, 161],
  setns: [308, 268],
  setresgid: [119, 149],
  setresuid: [117, 147],
  setsid: [112, 157],
  setsockopt: [54, 208],
  socket: [41, 198],
  symlinkat: [266, 36],
  umask: [95, 166],
  umount2: [166, 39],
  unlinkat: [263, 35],
  unshare: [272, 97],
  write: [1, 64],
} as const;

export type SyscallName = keyof typeof NUMBERS;

export function syscallNumber(name: SyscallName, machine: Machine): number {
  return NUMBERS[name][machine === "x86_64" ? 0 : 1];
}

export const SYSCALL_NAMES = Object.keys(NUMBERS) as readonly SyscallName[];
