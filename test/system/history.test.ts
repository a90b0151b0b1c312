import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { absent, LayeredStage } from "./support/layered-stage.ts";

describe.skipIf(absent !== undefined)(`history ${absent ?? ""}`, () => {
  let stage: LayeredStage;
  beforeAll(async () => {
    stage = await LayeredStage.open();
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  it("lists the steps as docker does, the last one first", async () => {
    const text = await stage.tsimg.output("history", stage.app);
    const [title, ...rows] = text.trimEnd().split("\n");
    expect(title).toMatch(/^IMAGE +CREATED +CREATED BY +SIZE +COMMENT$/);
    expect(rows.map((row) => row.split(/ {2,}/))).toEqual([
      [
        expect.stringMatching(/^[0-9a-f]{12}$/),
        expect.stringMatching(/^\d+ (months|years) ago$/),
        "RUN /bin/sh -c rm -rf everything && rm -rf e…",
        "3B",
      ],
      [
        "<missing>",
        expect.anything(),
        "RUN /bin/sh -c make install # buildkit",
        "11B",
        "buildkit.dockerfile.v0",
      ],
      ["<missing>", expect.anything(), "ENV MODE=test", "0B"],
      ["<missing>", expect.anything(), "/bin/sh -c #(nop) ADD file:0123 in /", "14B"],
      ["<missing>", expect.anything(), "COPY busybox", expect.stringMatching(/MB$/)],
    ]);
  });

  it("takes docker's flags", async () => {
    const lines = async (...args: string[]) =>
      (await stage.tsimg.output("history", ...args, stage.app)).trimEnd().split("\n");
    expect(await lines("-q")).toEqual([
      expect.stringMatching(/^[0-9a-f]{12}$/),
      ...Array.from({ length: 4 }, () => "<missing>"),
    ]);
    const [id, ...created] = await lines("--no-trunc", "--format", "{{.ID}} {{.CreatedBy}}");
    expect(id).toMatch(/^sha256:[0-9a-f]{64} RUN .*everything.* true # buildkit$/);
    expect(created).toHaveLength(4);
    expect((await lines("-H"))[1]).toContain("ago");
    const exact = await lines("--human=false", "--format", "{{.CreatedSince}} {{.Size}}");
    expect(exact.slice(0, 3)).toEqual([
      "2024-01-01T00:00:00Z 3",
      "2024-01-01T00:00:00Z 11",
      "2024-01-01T00:00:00Z 0",
    ]);
  });

  it("an image that says nothing has a line for each of its layers", async () => {
    const [row, ...more] = await stage.json("history", stage.base);
    expect(row).toMatchObject({ CreatedBy: "", CreatedSince: "N/A", Size: expect.any(String) });
    expect(more).toEqual([]);
  });
});
