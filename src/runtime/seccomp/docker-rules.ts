import type { SeccompArg } from "../../oci/runtime-spec.ts";
import type { MachineArch } from "./architectures.ts";

/**
 * What docker's default profile lets through, as of autumn 2026: a list of what is allowed,
 * everything else fails with EPERM. io_uring, keyctl, userfaultfd and other doors to the kernel
 * are left out on purpose.
 *
 * @see moby/profiles, seccomp/default_linux.go
 */

export const ALLOWED_ALWAYS = words(`
  accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown chown32
  clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
  clock_nanosleep clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2
  dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait
  epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64
  fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat
  fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstat64
  fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64
  futex_wait futex_waitv futex_wake futimesat get_robust_list get_thread_area getcpu getcwd
  getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32
  getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32
  getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday
  getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init inotify_init1
  inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup
  io_submit ioctl ioprio_get ioprio_set ipc kill landlock_add_rule landlock_create_ruleset
  landlock_restrict_self lchown lchown32 lgetxattr link linkat listen listmount listxattr
  listxattrat llistxattr _llseek lremovexattr lseek lsetxattr lstat lstat64 madvise
  map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock
  mlock2 mlockall mmap mmap2 mprotect mq_getsetattr mq_notify mq_open mq_timedreceive
  mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget
  msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat _newselect
  open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free
  pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease
  process_vm_readv process_vm_writev pselect6 pselect6_time64 ptrace pwrite64 pwritev pwritev2
  read readahead readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg
  remap_file_pages removexattr removexattrat rename renameat renameat2 restart_syscall rmdir rseq
  rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
  rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max
  sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
  sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr
  sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop
  semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto set_robust_list
  set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32
  setgroups setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32
  setresuid setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr
  setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 sigprocmask
  sigreturn socketcall socketpair splice stat stat64 statfs statfs64 statmount statx symlink
  symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete
  timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create
  timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate
  truncate64 ugetrlimit umask uname unlink unlinkat uretprobe utime utimensat utimensat_time64
  utimes vfork vmsplice wait4 waitid waitpid write writev
`);

/** For programs of the machine's other architectures too, since names are looked up for each. */
export const ALLOWED_BY_MACHINE: Readonly<Record<MachineArch, readonly string[]>> = {
  amd64: words("arch_prctl modify_ldt"),
  arm64: words(
    "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2",
  ),
};

export const ALLOWED_BY_CAPABILITY: Readonly<Record<string, readonly string[]>> = {
  CAP_BPF: words("bpf"),
  CAP_DAC_READ_SEARCH: words("open_by_handle_at"),
  CAP_PERFMON: words("perf_event_open"),
  CAP_SYSLOG: words("syslog"),
  CAP_SYS_ADMIN: words(`
    bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie
    lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount
    open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog
    umount umount2 unshare
  `),
  CAP_SYS_BOOT: words("reboot"),
  CAP_SYS_CHROOT: words("chroot"),
  CAP_SYS_MODULE: words("delete_module init_module finit_module"),
  CAP_SYS_NICE: words("get_mempolicy mbind set_mempolicy set_mempolicy_home_node"),
  CAP_SYS_PACCT: words("acct"),
  CAP_SYS_PTRACE: words("kcmp pidfd_getfd process_madvise"),
  CAP_SYS_RAWIO: words("iopl ioperm"),
  CAP_SYS_TIME: words("settimeofday stime clock_settime clock_settime64"),
  CAP_SYS_TTY_CONFIG: words("vhangup"),
};

/**
 * Address families above AF_ROSE that docker lets sockets have: NETBEUI, SECURITY, KEY,
 * NETLINK, PACKET, ASH, RDS, SNA, PPPOX, LLC, IB, MPLS, CAN, TIPC, BLUETOOTH, IUCV, RXRPC,
 * PHONET, IEEE802154, NFC, KCM, QIPCRTR, SMC, XDP, MCTP.
 *
 * Not among them: AF_ALG (38), the kernel's cryptography; AF_VSOCK (40), which reaches the
 * host's virtual machines; and families that kernels no longer have (ECONET, ATMSVC, IRDA,
 * WANPIPE, ISDN, CAIF). socketcall(2) of 32-bit programs passes all of them: its arguments lie
 * behind a pointer.
 */
const HIGH_FAMILIES = [
  13, 14, 15, 16, 17, 18, 21, 22, 24, 26, 27, 28, 29, 30, 31, 32, 33, 35, 36, 39, 41, 42, 43, 44,
  45,
];

/** Allowed where one of the conditions holds. */
export const ALLOWED_WHEN: readonly { readonly name: string; readonly arg: SeccompArg }[] = [
  // A range open below, since runtimes take two conditions on one argument for alternatives.
  // AF_UNIX to AF_ROSE; AF_UNSPEC, 0, makes no socket.
  { name: "socket", arg: { index: 0, op: "SCMP_CMP_LT", value: 12 } },
  ...HIGH_FAMILIES.map(
    (value) => ({ name: "socket", arg: { index: 0, op: "SCMP_CMP_EQ", value } }) as const,
  ),
  // PER_LINUX, PER_LINUX32, both with UNAME26, and asking without changing.
  { name: "personality", arg: { index: 0, op: "SCMP_CMP_EQ", value: 0x0 } },
  { name: "personality", arg: { index: 0, op: "SCMP_CMP_EQ", value: 0x8 } },
  { name: "personality", arg: { index: 0, op: "SCMP_CMP_EQ", value: 0x20000 } },
  { name: "personality", arg: { index: 0, op: "SCMP_CMP_EQ", value: 0x20008 } },
  { name: "personality", arg: { index: 0, op: "SCMP_CMP_EQ", value: 0xffffffff } },
];

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET: none may be asked for. */
export const CLONE_NEW_NAMESPACES = 0x7e020000;

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
