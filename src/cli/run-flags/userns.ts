import type { Command } from "../command.ts";
import { each, NONE } from "./each.ts";

/** Options of `UsernsFlags`. */
export function usernsOptions(command: Command): Command {
  return command
    .option("--userns <mode>", "user namespace: host, private, auto, container:ID or ns:PATH")
    .option("--uidmap <container:host:count>", "map user IDs; makes a user namespace", each, NONE)
    .option("--gidmap <container:host:count>", "map group IDs; else as --uidmap", each, NONE)
    .option("--subuidname <name>", "whose ranges of /etc/subuid are used (tsimg, containers)")
    .option("--subgidname <name>", "whose ranges of /etc/subgid are used");
}
