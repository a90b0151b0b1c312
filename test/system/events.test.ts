import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missing } from "../peers/requirements.ts";
import { Stage, reason as stageReason } from "./run-stage.ts";

const reason = stageReason ?? missing(["ip", "nft"]);

interface Told {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
}

describe.skipIf(reason)(`tsimg events ${reason ?? ""}`, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  async function told(...filters: readonly string[]): Promise<readonly Told[]> {
    const flags = filters.flatMap((filter) => ["--filter", filter]);
    const range = ["--since", "10m", "--until", "0s", "--format", "json"];
    const lines = (await stage.output("events", ...range, ...flags)).split("\n");
    return lines.filter(Boolean).map((line) => JSON.parse(line) as Told);
  }
  const actions = (events: readonly Told[]) => events.map(({ Action }) => Action);

  test("of images: pulls, also of what is up to date, names and images that go", async () => {
    const other = stage.special;
    await stage.output("pull", "-q", other);
    await stage.output("pull", "-q", other);
    const id = (await stage.output("inspect", "-f", "{{.Id}}", other)).trimEnd();
    await stage.output("rmi", other);
    const events = (await told("type=image")).slice(-4);
    const name = other.replace(/:latest$/, "");
    expect(events.map(({ Action, Actor }) => ({ Action, ...Actor }))).toEqual([
      { Action: "pull", ID: other, Attributes: { name } },
      { Action: "pull", ID: other, Attributes: { name } },
      { Action: "untag", ID: id, Attributes: { name: id } },
      { Action: "delete", ID: id, Attributes: { name: id } },
    ]);
    expect(actions(await told(`image=${name}`))).toEqual(["pull", "pull"]);
  });

  test("of networks and volumes, in their order within a container's life", async () => {
    await stage.output("network", "create", "blue");
    const flags = ["--rm", "--name", "it", "--network", "blue", "-v", "data:/data:ro"];
    await stage.tsimg(["run", ...flags, stage.tiny, "sh", "-c", "exit 3"]);
    expect(await stage.output("ps", "-aq")).toBe("");
    await stage.output("volume", "rm", "data");
    await stage.output("network", "rm", "blue");
    const events = (await told()).slice(-12);
    expect(events.map(({ Type, Action }) => `${Type} ${Action}`).toSorted()).toEqual([
      ...["container create", "container destroy", "container die", "container start"],
      ...["network connect", "network create", "network destroy", "network disconnect"],
      ...["volume create", "volume destroy", "volume mount", "volume unmount"],
    ]);
    const at = (type: string, action: string) =>
      events.findIndex((event) => event.Type === type && event.Action === action);
    expect(at("container", "die")).toBeLessThan(at("network", "disconnect"));
    expect(at("container", "die")).toBeLessThan(at("volume", "unmount"));
    expect(at("network", "connect")).toBeLessThan(at("container", "die"));
    const container = events[at("container", "die")]?.Actor.ID ?? "";
    expect(events[at("network", "connect")]?.Actor.Attributes).toEqual({
      ...{ container, name: "blue", type: "bridge" },
    });
    expect(events[at("volume", "mount")]?.Actor).toEqual({
      ID: "data",
      Attributes: {
        ...{ container, destination: "/data", driver: "local", propagation: "" },
        "read/write": "false",
      },
    });
    expect(actions(await told("type=network", "type=volume", "event=destroy"))).toHaveLength(2);
    expect(actions(await told("volume=dat", "event=mount", "event=unmount"))).toHaveLength(2);
  });

  test("of an exec: its ID, and the status of its end but not of what never began", async () => {
    await stage.output("run", "-d", "--name", "busy", stage.tiny, "sleep", "60");
    const words = ["exec", "busy", "sh", "-c", "exit 3"];
    expect((await stage.tsimg(words)).status).toBe(3);
    expect((await stage.tsimg(["exec", "busy", "nope"])).status).not.toBe(0);
    const parts = (event: Told) => [event.Action, event.Actor.Attributes["exitCode"]];
    const events = await told("container=busy", "event=exec_create", "event=exec_start");
    expect(events.map(parts)).toEqual(
      ["exec_create: sh -c exit 3", "exec_start: sh -c exit 3"]
        .concat("exec_create: nope ", "exec_start: nope ")
        .map((action) => [action, undefined]),
    );
    const ends = await told("container=busy", "event=exec_die");
    expect(ends.map(parts)).toEqual([["exec_die", "3"]]);
    const idOf = (event: Told | undefined) => event?.Actor.Attributes["execID"];
    expect(idOf(ends[0])).toMatch(/^[0-9a-f]{64}$/);
    expect(idOf(ends[0])).toBe(idOf(events[0]));
    // One that is killed with its container is told, too.
    const last = stage.start(["exec", "busy", "sh", "-c", "echo; sleep 60"]);
    const gone = once(last, "exit");
    await once(last.stdout ?? last, "data");
    await stage.output("kill", "busy");
    await gone;
    await stage.output("rm", "-f", "busy");
    expect((await told("container=busy", "event=exec_die")).map(parts)).toEqual([
      ["exec_die", "3"],
      ["exec_die", "137"],
    ]);
  });

  test("labels must all fit, a command is any of its kind", async () => {
    const labels = ["-l", "a=1", "-l", "b=2"];
    await stage.output("run", "-d", "--name", "marked", ...labels, stage.tiny, "sleep", "60");
    await stage.output("exec", "marked", "true");
    expect(actions(await told("label=a=1", "label=b", "event=exec_start"))).toEqual([
      "exec_start: true ",
    ]);
    expect(await told("label=a=1", "label=b=1")).toEqual([]);
    await stage.output("rm", "-f", "marked");
  });
});
