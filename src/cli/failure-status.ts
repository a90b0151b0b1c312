import { ERROR_EXIT_STATUS } from "../sys/error.ts";

/** Of a command that isn't there, or whose arguments aren't those that it needs: docker's. */
export const ARGUMENTS_STATUS = 1;

const OWN_FAILURE = ERROR_EXIT_STATUS.ERR_STATE;

/**
 * What docker has too, but for `run`: that alone must tell its own failures from those of the
 * container's program. These end with 1.
 */
const AS_DOCKER: ReadonlySet<string> = new Set([
  ...["attach", "cp", "create", "events", "exec", "history", "images", "info", "inspect", "kill"],
  ...[
    "logs",
    "network",
    "pause",
    "port",
    "prune",
    "ps",
    "pull",
    "rename",
    "restart",
    "rm",
    "rmi",
    "start",
  ],
  ...["stats", "stop", "system", "top", "unpause", "update", "version", "volume", "wait"],
  ...["container", "image"],
]);

/**
 * The exit status of a command that failed.
 *
 * @param name the command's
 * @param status what its error stands for; those of a program that can't be executed, and of an
 *               interrupt, say more than a failure
 */
export function failureStatus(name: string, status: number): number {
  return status === OWN_FAILURE && AS_DOCKER.has(name.split(" ", 1)[0] ?? "") ? 1 : status;
}
