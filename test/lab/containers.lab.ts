/** A container's life and its files, with cgroup version 2 alone. */
import "../system/container-ends.test.ts";
import "../system/cp.test.ts";
import "../system/health.test.ts";
import "../system/lifecycle.test.ts";
import "../system/restart.test.ts";
import "../system/volumes.test.ts";
