import { describe, expect, test } from "vitest";
import {
  containerFilter,
  type FilteredContainer,
  type FilterLookup,
  looksAtAll,
} from "../../../src/cli/ps-filter.ts";

const WEB: FilteredContainer = {
  id: "ab".repeat(32),
  name: "web",
  labels: { team: "a", bare: "" },
  status: "exited",
  exitCode: 3,
  created: "2026-01-02T00:00:00Z",
  manifest: "sha256:web",
  networks: ["front", "cd".repeat(32)],
  volumes: ["vol", "/data"],
  published: ["80/tcp"],
  exposed: ["80/tcp", "53/udp"],
  health: "none",
};

const LOOKUP: FilterLookup = {
  manifestsOf: (image) => (image === "httpd" ? ["sha256:web"] : []),
  createdOf: (container) => (container === "old" ? "2026-01-01T00:00:00Z" : WEB.created),
};

describe("containerFilter", () => {
  test.each([
    [["id=abab"], true],
    [["id=bab"], false],
    [["name=we"], true],
    [["name=^/web$"], true],
    [["name=^eb"], false],
    [["label=team"], true],
    [["label=team=b"], false],
    [["label=bare="], true],
    [["label=toString"], false],
    [["status=running", "status=exited"], true],
    [["status=running"], false],
    [["exited=3"], true],
    [["exited=0"], false],
    [["ancestor=httpd"], true],
    [["ancestor=other"], false],
    [["network=front"], true],
    [["network=cdcd"], true],
    [["network=fro"], false],
    [["volume=/data"], true],
    [["publish=80"], true],
    [["publish=53/udp"], false],
    [["expose=50-60/udp"], true],
    [["expose=81-90"], false],
    [["since=old"], true],
    [["before=old"], false],
    [["since=web"], false],
    // Labels must all fit; names of filters, too.
    [["label=team=a", "label=bare"], true],
    [["label=team=a", "label=none"], false],
    [["name=web", "status=running"], false],
  ])("%j: %s", (texts, fits) => {
    expect(containerFilter(texts, LOOKUP)(WEB)).toBe(fits);
  });

  test.each([
    "",
    "web",
    "=x",
    "color=red",
    "status=asleep",
    "exited=x",
    "health=ill",
    "name=(",
    "publish=a",
  ])("%j is refused", (text) => {
    expect(() => containerFilter([text], LOOKUP)).toThrow(
      expect.objectContaining({ code: "ERR_USAGE", hint: expect.any(String) }),
    );
  });

  test("one that never ended has no exit status", () => {
    const running = { ...WEB, status: "running", exitCode: undefined };
    expect(containerFilter(["exited=0"], LOOKUP)(running)).toBe(false);
  });
});

test("a status is looked for among all containers", () => {
  expect(looksAtAll(["name=x", "status=exited"])).toBe(true);
  expect(looksAtAll(["name=status=exited"])).toBe(false);
});
