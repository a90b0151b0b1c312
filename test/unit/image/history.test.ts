import { expect, it } from "vitest";
import { historySteps, layerEntries, shortStep } from "../../../src/image/history.ts";
import type { ImageLayer } from "../../../src/image/image-store.ts";
import { parseImageConfig } from "../../../src/oci/image-config.ts";

function layers(count: number): readonly ImageLayer[] {
  return Array.from({ length: count }, (_, at) => ({ digest: `layer ${at}` }) as never);
}

function configOf(history: readonly object[]) {
  return parseImageConfig(Buffer.from(JSON.stringify({ rootfs: {}, history })));
}

const STEPS = [
  { created_by: "first" },
  { created_by: "nothing", empty_layer: true },
  { created_by: "second" },
];

it("each step that made a layer has the next one", () => {
  const steps = historySteps(configOf(STEPS), layers(2));
  expect(steps.map(({ entry, layer }) => [entry?.createdBy, layer?.digest])).toEqual([
    ["first", "layer 0"],
    ["nothing", undefined],
    ["second", "layer 1"],
  ]);
});

it("layers without a step come last; steps for more layers than there are count for none", () => {
  const words = (count: number) =>
    layerEntries(configOf(STEPS), layers(count)).map((entry) => entry?.createdBy);
  expect(words(3)).toEqual(["first", "second", undefined]);
  expect(words(1)).toEqual([undefined]);
  expect(words(0)).toEqual([]);
});

it("builders' marks are left out of a step's words", () => {
  expect(shortStep("/bin/sh -c #(nop) ADD file:01 in / ")).toBe("ADD file:01 in /");
  expect(shortStep("/bin/sh -c apt-get update &&\t\n  true")).toBe("RUN apt-get update && true");
  expect(shortStep("RUN /bin/sh -c make # buildkit")).toBe("RUN make");
  expect(shortStep("COPY . . # buildkit")).toBe("COPY . .");
  expect(shortStep(undefined)).toBe("");
});
