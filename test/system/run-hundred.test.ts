import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outputOf } from "../../fixtures/command.ts";
import { missing } from "../peers/requirements.ts";
import { NetworkStage } from "./network-stage.ts";
import { groupsOf, reason as stageReason } from "./run-stage.ts";
import { lastingTraces } from "./support/leftovers.ts";

const reason = stageReason ?? missing(["ip", "nft", "nsenter"]);
const COUNT = 100;

/** Reaches the container called so, which may not be there yet, and the host. */
const REACH = [
  'until ping -c1 -W1 "$0" >/dev/null 2>&1; do sleep 0.2; done',
  "ping -c1 -W5 gate >/dev/null && echo reached",
  "exec sleep 10000",
].join("; ");

describe.skipIf(reason)(`a hundred containers at once ${reason ?? ""}`, () => {
  let world: NetworkStage;
  let ids: readonly string[];
  const numbers = Array.from({ length: COUNT }, (_, number) => number);
  beforeAll(async () => {
    world = await NetworkStage.open();
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  test("each has its own address and reaches the host and another one by name", async () => {
    const { stage } = world;
    const start = (number: number) => {
      const next = `c${(number + 1) % COUNT}`;
      // What is left of those with --rm is nobody's; of the others, the user's.
      const kept = number % 2 === 0 ? [] : ["--rm"];
      const port = `127.0.0.1:${21_000 + number}:80`;
      const net = ["--dns", "127.0.0.1", "--add-host", "gate:host-gateway", "-p", port];
      const words = ["run", "-d", "--name", `c${number}`, ...kept, ...net, stage.tiny];
      return stage.output(...words, "sh", "-c", REACH, next);
    };
    ids = (await Promise.all(numbers.map(start))).map((id) => id.trim());
    for (const number of numbers)
      await stage.until(async () => (await stage.output("logs", `c${number}`)) === "reached\n");
    const all = JSON.parse(await stage.output("inspect", ...ids));
    const addresses = all.map((one: Inspected) => one.NetworkSettings.IPAddress);
    expect(new Set(addresses).size).toBe(COUNT);
    expect(await world.elements()).toHaveLength(COUNT);
  });

  test("when all launchers are killed at once, the next command takes all back", async () => {
    const { stage } = world;
    const store = stage.env["TSIMG_ROOT"] ?? "";
    for (const id of ids) {
      const record = readFileSync(join(store, "run", id, "started.json"), "utf8");
      process.kill(JSON.parse(record).launcher, "SIGKILL");
    }
    const [network] = JSON.parse(await stage.output("network", "inspect", "bridge"));
    const listed = async () => stage.output("ps", "-a", "--format", "{{.Names}} {{.Status}}");
    await stage.until(async () => !(await listed()).includes(" Up "));
    const lines = (await listed()).trim().split("\n").toSorted();
    const kept = numbers.filter((number) => number % 2 === 0).map((number) => `c${number}`);
    expect(lines.map((line) => line.split(" ").slice(0, 3).join(" "))).toEqual(
      kept.map((name) => `${name} Exited (137)`).toSorted(),
    );
    expect(await world.elements()).toEqual([]);
    const bridge = network.Options["com.docker.network.bridge.name"];
    expect(await outputOf(["ip", "-o", "link", "show", "master", bridge])).toBe("");
    expect(ids.flatMap((id) => groupsOf(id))).toEqual([]);
    expect(await lastingTraces(store)).toEqual([]);
    expect(readdirSync(join(store, "run"))).toHaveLength(kept.length);
    // Every address is free again.
    await stage.output("rm", ...kept);
    const { Containers } = JSON.parse(await stage.output("network", "inspect", "bridge"))[0];
    expect(Containers).toEqual({});
    expect(readdirSync(join(store, "run"))).toEqual([]);
  });
});

interface Inspected {
  readonly NetworkSettings: { readonly IPAddress: string };
}
