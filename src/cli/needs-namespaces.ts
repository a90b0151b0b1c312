/** Commands that say something without looking at a store. */
const WITHOUT_STORE = ["version", "help"];
/** What only root of the machine can do. */
const FOR_ROOT = ["demo", "doctor", "bench", "pool"];

/** Whether a command line is about a store: help and mistakes are for any user, anywhere. */
export function needsNamespaces(argv: readonly string[]): boolean {
  const asks = argv.some((word) => word === "--help" || word === "--version");
  const takesNext = (word: string | undefined) => word === "--root" || word === "--runroot";
  const name = argv.find((word, at) => !word.startsWith("-") && !takesNext(argv[at - 1]));
  return !asks && name !== undefined && ![...WITHOUT_STORE, ...FOR_ROOT].includes(name);
}
