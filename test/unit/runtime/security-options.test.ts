import { expect, test } from "vitest";
import { parseSecurityOptions } from "../../../src/runtime/security-options.ts";

test("nothing said is docker's default", () => {
  expect(parseSecurityOptions([])).toEqual({
    noNewPrivileges: false,
    seccomp: { kind: "default" },
    apparmor: { kind: "default" },
    systemPaths: "default",
    mask: [],
    unmask: [],
  });
});

test("the last word counts, with a colon too; paths add up", () => {
  const parsed = parseSecurityOptions([
    "no-new-privileges",
    "no-new-privileges:false",
    "seccomp=unconfined",
    "seccomp=/etc/my=profile.json",
    "apparmor:mine",
    "apparmor=tsimg-default",
    "label=disable",
    "systempaths=unconfined",
    "mask=/opt/a:/opt/b",
    "mask=/opt/c",
    "unmask=/proc/*",
    "unmask=all",
  ]);
  expect(parsed).toEqual({
    noNewPrivileges: false,
    seccomp: { kind: "file", path: "/etc/my=profile.json" },
    apparmor: { kind: "profile", name: "tsimg-default" },
    systemPaths: "unconfined",
    mask: ["/opt/a", "/opt/b", "/opt/c"],
    unmask: ["/proc/*", "ALL"],
  });
  expect(parseSecurityOptions(["apparmor=unconfined"]).apparmor).toEqual({ kind: "unconfined" });
});

test.each([
  ["seccomp=", 'unknown --security-opt "seccomp="'],
  ["no-new-privileges=maybe", "unknown"],
  ["systempaths=none", "unknown"],
  ["apparmor=", "unknown"],
  ["apparmor=a\nb", "invalid AppArmor profile name"],
  ["label=type:container_t", "SELinux"],
  ["mask=proc", '"proc" in --security-opt "mask=proc" is not an absolute path'],
  ["unmask=/proc/../sys", "not an absolute path"],
  ["mask=/a:", "not an absolute path"],
  ["privileged", 'unknown --security-opt "privileged"'],
])("%j is refused", (option, message) => {
  expect(() => parseSecurityOptions([option])).toThrow(
    expect.objectContaining({
      code: "ERR_USAGE",
      message: expect.stringContaining(message),
      hint: expect.any(String),
    }),
  );
});
