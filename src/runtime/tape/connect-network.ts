import type { UserNetworkLaunch } from "../network/user-network.ts";
import { awaitLauncher, release } from "./await.ts";
import { configureNetwork } from "./network.ts";
import type { NetworkLaunch } from "./request.ts";
import type { Steps } from "./steps.ts";
import { bytes, CHILD, flags, type Register, type Strings, words } from "./tape.ts";

const NETWORK = "the network";

/** How a program is run: until its end, on its own, or as long as the launcher lives. */
const WAIT = 0;
const LEAVE = 1;
const ATTEND = 2;

/** Where `ip` finds the container's namespace: see NAMESPACE_PATH. */
const NAMESPACE_FD = 100;
/** Where slirp4netns writes that it is ready. */
const WORD_FD = 101;

/** The programs need nothing of the caller's environment. */
const ENVIRONMENT: Strings = {
  kind: "strings",
  values: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"],
};

/** The launcher's part, beside the child: interfaces from the host into its namespace. */
export function connectNetwork(
  steps: Steps,
  network: NetworkLaunch | undefined,
  addresses: Register | undefined,
): void {
  if (network?.user !== undefined) return connectByUser(steps, network.user);
  const { ipBatch, publish } = network ?? {};
  const shut = "leaving the addresses to the container";
  if (addresses !== undefined) steps.call("close", [addresses], shut);
  if (network === undefined || ipBatch === undefined) return;
  withNamespace(steps, () => {
    const ip = ["ip", "-batch", ipBatch];
    run(steps, network.ip, ip, "connecting the container's network", true);
  });
  if (publish !== undefined) {
    run(steps, network.nft, ["nft", "-f", publish], "publishing the container's ports", true);
  }
  release(steps, NETWORK);
}

/** Opens the namespace where programs look for it, while `body` runs them. */
function withNamespace(steps: Steps, body: () => void): void {
  const why = "opening the container's network namespace";
  const digits = bytes("{pid}", new Uint8Array(24));
  steps.call("print", [digits, CHILD], "naming the container's first process");
  steps.scope(() => {
    const how = flags("O_PATH", "O_DIRECTORY", "O_CLOEXEC");
    const proc = steps.keep("openat", [flags("AT_FDCWD"), "/proc", how], why);
    const own = steps.keep("openat", [proc, digits, how], why);
    const namespace = steps.keep("openat", [own, "ns/net", flags("O_CLOEXEC")], why);
    // Without close-on-exec: it is the programs'.
    steps.call("dup3", [namespace, NAMESPACE_FD, 0], why);
    body();
    for (const fd of [NAMESPACE_FD, namespace, own, proc]) steps.call("close", [fd], why);
  });
}

/** What the program does there, it does without rights on the host. */
function connectByUser(steps: Steps, user: UserNetworkLaunch): void {
  const { program, args, ready } = user;
  withNamespace(steps, () => {
    const word = ready === undefined ? undefined : openWord(steps, ready);
    const argv = words(`[${[program, ...args].join(", ")}]`, program, ...args, 0);
    const why = "connecting the container's network";
    const how = word === undefined ? WAIT : ATTEND;
    steps.call("program", [program, argv, ENVIRONMENT, how], why, { tolerate: "any", warn: true });
    if (word !== undefined) awaitWord(steps, word);
  });
  release(steps, NETWORK);
}

const WORD = "waiting for the network program";

/** A FIFO into which a program writes when it is ready. */
function openWord(steps: Steps, path: string): Register {
  const kind = { ...flags("S_IFIFO"), bits: 0o600 };
  const tolerate = ["EEXIST"] as const;
  steps.call("mknodat", [flags("AT_FDCWD"), path, kind, 0], WORD, { tolerate });
  const how = flags("O_RDWR", "O_CLOEXEC");
  const word = steps.keep("openat", [flags("AT_FDCWD"), path, how], WORD);
  steps.call("dup3", [word, WORD_FD, 0], WORD);
  return word;
}

/** Not for ever: a program that fails says nothing. */
function awaitWord(steps: Steps, word: Register): void {
  const polled = bytes("{word, POLLIN}", Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0));
  steps.call("close", [WORD_FD], WORD);
  steps.call("poke", [{ kind: "place", of: polled, offset: 0 }, word], WORD);
  steps.call("ppoll", [polled, 1, words("{5 s}", 5, 0), 0, 0], WORD);
  steps.call("close", [word], WORD);
}

/** The child's part, in its network namespace while the host's /proc is there. */
export function enterNetwork(
  steps: Steps,
  network: NetworkLaunch,
  addresses: Register | undefined,
): void {
  if ((network.ipBatch ?? network.user) !== undefined) awaitLauncher(steps, NETWORK);
  if (network.inside !== undefined) configureNetwork(steps, network.inside, addresses);
}

/** The interfaces end with their namespace; what leads to them does not. */
export function disconnectNetwork(steps: Steps, network: NetworkLaunch | undefined): void {
  if (network?.unpublish === undefined) return;
  // The kernel takes a while for it, which nobody needs to wait for.
  const argv = ["nft", "-f", network.unpublish];
  run(steps, network.nft, argv, "withdrawing the container's ports", false);
}

function run(
  steps: Steps,
  program: string,
  argv: readonly string[],
  why: string,
  waits: boolean,
): void {
  const args = words(`[${argv.join(", ")}]`, ...argv, 0);
  steps.call("program", [program, args, ENVIRONMENT, waits ? WAIT : LEAVE], why);
}
