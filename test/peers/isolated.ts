/**
 * A command line that runs `argv` in process and mount namespaces of its own. All that it
 * starts and mounts, daemons of daemons too, is gone when it ends, and it ends with this
 * process at the latest, even when that is killed.
 *
 * A shell is the namespace's first process: it reaps the orphans that daemons leave.
 */
export function isolated(argv: readonly string[]): readonly string[] {
  return [
    ...["setpriv", "--pdeathsig", "KILL"],
    ...["unshare", "--mount", "--propagation", "private"],
    ...["--pid", "--fork", "--kill-child=KILL", "--mount-proc"],
    ...["sh", "-c", '"$@"; exit $?', "sh", ...argv],
  ];
}
