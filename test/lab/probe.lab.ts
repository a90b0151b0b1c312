/** What a container's program sees, compared with runc's and crun's on version 2 alone. */
import "../peers/probe.test.ts";
