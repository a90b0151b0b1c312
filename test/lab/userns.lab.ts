/** Mapped users by an older kernel than most that they are tried on. */
import "../system/mapped-users.test.ts";
import "../system/userns.test.ts";
