import { TsimgError } from "../../sys/error.ts";
import { programOutcome, requirePrograms } from "../../sys/run-program.ts";

/**
 * Runs one `ip -batch`; it stops at the first line that fails.
 *
 * @param batch  its input
 * @param inside path of a network namespace to run it in
 * @throws TsimgError ERR_NETWORK with what ip said
 */
export function runIp(batch: string, inside?: string): void {
  const ip = ["ip", "-batch", "-"];
  run(inside === undefined ? ip : ["nsenter", `--net=${inside}`, "--", ...ip], batch);
}

/**
 * Runs one `nft -f`: all of it happens, or nothing.
 *
 * @throws TsimgError ERR_NETWORK with what nft said
 */
export function runNft(script: string): void {
  run(["nft", "-f", "-"], script);
}

/** @throws TsimgError ERR_DRIVER naming the package of what isn't installed */
export function requireNetworkPrograms(): void {
  requirePrograms(["ip", "nft"]);
}

function run(argv: readonly string[], input: string): void {
  const { status, stderr } = programOutcome(argv, { input });
  if (status === 0) return;
  const [said = ""] = stderr.split("\n").filter((line) => line.trim() !== "");
  const program = argv.slice(argv.indexOf("--") + 1).join(" ");
  throw new TsimgError("ERR_NETWORK", `'${program}' ended with status ${status}: ${said}`, {
    hint: "`ip link` and `nft list ruleset` show what is there; tsimg network reload makes it anew",
  });
}
