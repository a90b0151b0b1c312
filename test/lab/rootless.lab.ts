/** An ordinary user on a machine with cgroup version 2 alone, with and without a group of it. */
import "../system/rootless.test.ts";
import "../system/rootless-limits.test.ts";
