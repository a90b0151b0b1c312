import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { resolveUser } from "../../../src/runtime/user.ts";
import { TsimgError } from "../../../src/sys/error.ts";

const passwd = Buffer.from(`root:x:0:0:root:/root:/bin/sh
broken line
daemon:x:1:1::/usr/sbin:/usr/sbin/nologin
app:x:1000:100:App,,,:/srv/app:/bin/sh
1000:x:2000:2000::/home/odd:/bin/sh
huge:x:99999999999:0::/:
relative:x:1001:1001::home:
`);
const group = Buffer.from(`root:x:0:
users:x:100:app
audio:x:29:app,daemon
video:x:44:nobody,app
:x:5:app
bad:x:-1:app
`);
const resolve = (text: string) => resolveUser(text, { passwd, group });

describe("the user of a container", () => {
  test.each([
    ["", 0, 0, [0], "/root"],
    ["root", 0, 0, [0], "/root"],
    ["app", 1000, 100, [100, 29, 44], "/srv/app"],
    ["1000", 1000, 100, [100, 29, 44], "/srv/app"],
    ["app:audio", 1000, 29, [29], "/srv/app"],
    ["app:77", 1000, 77, [77], "/srv/app"],
    ["4242", 4242, 0, [0], "/"],
    ["4242:users", 4242, 100, [100], "/"],
    [":users", 0, 100, [100], "/root"],
    ["app:", 1000, 100, [100, 29, 44], "/srv/app"],
    ["relative", 1001, 1001, [1001], "/"],
  ])("%j is found as docker finds it", (text, uid, gid, additionalGids, home) => {
    expect(resolve(text)).toEqual({ user: { uid, gid, additionalGids }, home });
  });

  test.each([
    ["nobody", /unknown user "nobody".*\/etc\/passwd/],
    ["huge", /unknown user/],
    ["app:nogroup", /unknown group "nogroup".*\/etc\/group/],
    ["4294967295", /unknown user/],
    ["-1", /unknown user/],
    ["app:a:b", /unknown group "a:b"/],
  ])("%j is refused", (text, message) => {
    expect(() => resolve(text)).toThrow(message);
  });

  test("needs no account files when it is a number", () => {
    expect(resolveUser("5:6", {})).toEqual({
      user: { uid: 5, gid: 6, additionalGids: [6] },
      home: "/",
    });
    expect(() => resolveUser("app", {})).toThrow(/unknown user/);
  });

  test("has numbers that the kernel takes, whatever the image's files hold", () => {
    const line = fc.array(fc.oneof(fc.string(), fc.integer().map(String)), { maxLength: 8 });
    const file = fc.array(line).map((lines) => {
      return Buffer.from(lines.map((fields) => fields.join(":")).join("\n"));
    });
    fc.assert(
      fc.property(file, file, fc.string(), (passwd, group, text) => {
        try {
          const { user, home } = resolveUser(text, { passwd, group });
          for (const id of [user.uid, user.gid, ...(user.additionalGids ?? [])]) {
            expect(Number.isInteger(id) && id >= 0 && id < 2 ** 32 - 1).toBe(true);
          }
          expect(home).toMatch(/^\//);
        } catch (error) {
          expect(error).toBeInstanceOf(TsimgError);
        }
      }),
    );
  });
});
