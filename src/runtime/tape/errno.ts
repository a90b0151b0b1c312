/** The errors that steps tolerate; the same numbers on x86_64 and arm64. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EBADF: 9,
  EAGAIN: 11,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  ENOTDIR: 20,
  EINVAL: 22,
  ENOTTY: 25,
  EROFS: 30,
  EPIPE: 32,
  ENOSYS: 38,
  EAFNOSUPPORT: 97,
  ECONNRESET: 104,
  EDQUOT: 122,
} as const;

export type ErrnoName = keyof typeof ERRNO;
