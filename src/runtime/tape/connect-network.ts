import { awaitLauncher, release } from "./await.ts";
import { configureNetwork } from "./network.ts";
import type { NetworkLaunch } from "./request.ts";
import type { Steps } from "./steps.ts";
import { bytes, CHILD, flags, type Register, type Strings, words } from "./tape.ts";

const NETWORK = "the network";

/** Where `ip` finds the container's namespace: see NAMESPACE_PATH. */
const NAMESPACE_FD = 100;

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
  const { ipBatch, publish } = network ?? {};
  const shut = "leaving the addresses to the container";
  if (addresses !== undefined) steps.call("close", [addresses], shut);
  if (network === undefined || ipBatch === undefined) return;
  const why = "opening the container's network namespace";
  const digits = bytes("{pid}", new Uint8Array(24));
  steps.call("print", [digits, CHILD], "naming the container's first process");
  steps.scope(() => {
    const how = flags("O_PATH", "O_DIRECTORY", "O_CLOEXEC");
    const proc = steps.keep("openat", [flags("AT_FDCWD"), "/proc", how], why);
    const own = steps.keep("openat", [proc, digits, how], why);
    const namespace = steps.keep("openat", [own, "ns/net", flags("O_CLOEXEC")], why);
    // Without close-on-exec: it is the program's.
    steps.call("dup3", [namespace, NAMESPACE_FD, 0], why);
    const ip = ["ip", "-batch", ipBatch];
    run(steps, network.ip, ip, "connecting the container's network", true);
    for (const fd of [NAMESPACE_FD, namespace, own, proc]) steps.call("close", [fd], why);
  });
  if (publish !== undefined) {
    run(steps, network.nft, ["nft", "-f", publish], "publishing the container's ports", true);
  }
  release(steps, NETWORK);
}

/** The child's part, in its network namespace while the host's /proc is there. */
export function enterNetwork(
  steps: Steps,
  network: NetworkLaunch,
  addresses: Register | undefined,
): void {
  if (network.ipBatch !== undefined) awaitLauncher(steps, NETWORK);
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
  steps.call("program", [program, args, ENVIRONMENT, waits ? 0 : 1], why);
}
