import { totalmem } from "node:os";
import { cpuPercent, type Sample } from "../../runtime/container/sample.ts";
import { formatBinarySize } from "../output/binary-size.ts";
import type { Listing } from "../output/format.ts";
import { shortId } from "../output/shorten.ts";
import { formatSize } from "../output/size.ts";

const TITLES = {
  Container: "CONTAINER",
  ID: "CONTAINER ID",
  Name: "NAME",
  CPUPerc: "CPU %",
  MemUsage: "MEM USAGE / LIMIT",
  MemPerc: "MEM %",
  NetIO: "NET I/O",
  BlockIO: "BLOCK I/O",
  PIDs: "PIDS",
} as const;

type Field = keyof typeof TITLES;

/** Docker's fields and columns. */
export const LISTING: Listing<Field> = {
  titles: TITLES,
  table:
    "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}",
};

/** Docker's sign for a container that doesn't run. */
const NOTHING = "--";

/** @param before an earlier sample of the same container, which rates are counted from */
export function statsRow(
  before: Sample | undefined,
  now: Sample,
  noTrunc: boolean,
): Readonly<Record<Field, string>> {
  const id = shortId(now.id, noTrunc);
  const named = { Container: id, ID: id, Name: now.name };
  const { used } = now;
  if (used === undefined) {
    const none = { CPUPerc: NOTHING, MemPerc: NOTHING, PIDs: NOTHING };
    const pair = `${NOTHING} / ${NOTHING}`;
    return { ...named, ...none, MemUsage: pair, NetIO: pair, BlockIO: pair };
  }
  const { memory, network, blockIO } = used;
  // Without a limit, the machine's memory is one.
  const limit = Math.min(memory.limit, totalmem());
  return {
    ...named,
    CPUPerc: `${cpuPercent(before, now).toFixed(2)}%`,
    MemUsage: `${formatBinarySize(memory.usage)} / ${formatBinarySize(limit)}`,
    MemPerc: `${((memory.usage / limit) * 100).toFixed(2)}%`,
    NetIO: `${formatSize(network.received)} / ${formatSize(network.sent)}`,
    BlockIO: `${formatSize(blockIO.readBytes)} / ${formatSize(blockIO.writeBytes)}`,
    PIDs: String(used.pids.current),
  };
}
