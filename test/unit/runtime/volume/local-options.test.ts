import { expect, test } from "vitest";
import { checkLocalOptions, localMount } from "../../../../src/runtime/volume/local-options.ts";
import { parseVolumeFilters } from "../../../../src/runtime/volume/volume-filters.ts";

test("options of the local driver become the mount that they mean", () => {
  expect(localMount({})).toBeUndefined();
  expect(localMount({ type: "none", device: "/srv", o: "bind,ro" })).toEqual({
    type: "bind",
    source: "/srv",
    options: ["rprivate", "bind", "ro"],
  });
  const nfs = { type: "nfs", device: ":/export", o: "addr=10.0.0.7,nfsvers=4" };
  checkLocalOptions(nfs);
  expect(localMount(nfs)).toEqual({
    type: "nfs",
    source: ":/export",
    options: ["addr=10.0.0.7", "nfsvers=4"],
  });
});

test.each([
  [{ size: "1g" }, "unknown option 'size'"],
  [{ type: "tmpfs" }, "option 'device' is missing"],
  [{ device: "/x", o: "bind" }, "option 'type' is missing"],
  [{ type: "none", device: "srv", o: "bind" }, "not an absolute path"],
  [{ type: "nfs", device: ":/x", o: "addr=server" }, "no addr= with an IP address"],
  [{ type: "tmpfs", device: "a\0b" }, "NUL"],
])("%j is refused", (options, message) => {
  expect(() => checkLocalOptions(options as Record<string, string>)).toThrow(message);
});

test("filters: any value of a key, every key, every label", () => {
  const volume = {
    name: "data-1",
    driver: "local",
    anonymous: false,
    labels: { a: "1", b: "" },
    options: {},
    created: "",
  };
  const keys = ["dangling", "driver", "label", "name"];
  const fits = (texts: string[], isUsed = false) => parseVolumeFilters(texts, keys)(volume, isUsed);
  expect(fits([])).toBe(true);
  expect(fits(["name=x", "name=ata"])).toBe(true);
  expect(fits(["name=ata", "driver=x"])).toBe(false);
  expect([fits(["label=a=1", "label=b"]), fits(["label=a", "label=c"])]).toEqual([true, false]);
  expect([fits(["dangling=true"]), fits(["dangling=1"], true)]).toEqual([true, false]);
  expect(fits(["dangling=false"], true)).toBe(true);
  expect(() => fits(["colour=red"])).toThrow("invalid filter 'colour=red'");
  expect(() => fits(["dangling=maybe"])).toThrow("invalid filter 'dangling=maybe'");
  expect(() => fits(["name"])).toThrow("invalid filter 'name'");
});
