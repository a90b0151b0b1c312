import { expect, it } from "vitest";
import { groupPath } from "../../../../src/runtime/oci/create.ts";

it.each([
  ["machine.slice:libpod:abc", "/machine.slice/libpod-abc.scope"],
  [":libpod:abc", "/system.slice/libpod-abc.scope"],
  ["../../../tmp:a:b", "/tmp/a-b.scope"],
  ["a.slice:../../../../etc/x:b", "/etc/x-b.scope"],
  ["a.slice:a:../../../b", "/b.scope"],
])("systemd's %s is below the root of the groups", (path, expected) => {
  expect(groupPath(path, "id", true)).toBe(expected);
});

it.each([
  ["../../etc", "/etc"],
  [undefined, "/tsimg/id"],
  ["a:b:c", "/a:b:c"],
])("the path %s is below the root of the groups", (path, expected) => {
  expect(groupPath(path, "id", false)).toBe(expected);
});
