/** An ordinary user on a machine with cgroup version 2 alone. */
import "../system/rootless.test.ts";
