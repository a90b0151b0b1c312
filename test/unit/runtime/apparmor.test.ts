import { describe, expect, test } from "vitest";
import {
  type AppArmorHost,
  appArmorProfile,
  mustLoadDefault,
  parseLoadedProfiles,
} from "../../../src/runtime/apparmor.ts";
import { DEFAULT_PROFILE, DEFAULT_PROFILE_MARK } from "../../../src/runtime/apparmor-profile.ts";

const host = (loaded: readonly string[] = [], more: Partial<AppArmorHost> = {}): AppArmorHost => ({
  enabled: true,
  loadable: true,
  loaded: new Set(loaded),
  ...more,
});
const nowhere = host([], { enabled: false, loadable: false });

describe("the AppArmor profile of a container", () => {
  test("is the default one where there is AppArmor and a way to load it", () => {
    const ask = (machine: AppArmorHost, privileged = false) =>
      appArmorProfile({ kind: "default" }, privileged, machine);
    expect(ask(host())).toBe(DEFAULT_PROFILE);
    expect(ask(host([DEFAULT_PROFILE], { loadable: false }))).toBe(DEFAULT_PROFILE);
    expect(ask(host([], { loadable: false }))).toBeUndefined();
    expect(ask(nowhere)).toBeUndefined();
    expect(ask(host(), true)).toBeUndefined();
  });

  test("is one that is asked for, privileged or not, if it is loaded", () => {
    const ask = (name: string, machine: AppArmorHost) =>
      appArmorProfile({ kind: "profile", name }, true, machine);
    expect(ask("mine", host(["mine"]))).toBe("mine");
    expect(ask(DEFAULT_PROFILE, host())).toBe(DEFAULT_PROFILE);
    expect(() => ask("mine", host(["min"]))).toThrow(/"mine" is not loaded/);
    expect(() => ask("mine", nowhere)).toThrow(expect.objectContaining({ code: "ERR_KERNEL" }));
    expect(appArmorProfile({ kind: "unconfined" }, false, host())).toBeUndefined();
  });

  test("is loaded when it is missing or of another version's text", () => {
    const old = host([DEFAULT_PROFILE, `${DEFAULT_PROFILE}//text-0`]);
    expect(mustLoadDefault(DEFAULT_PROFILE, host())).toBe(true);
    expect(mustLoadDefault(DEFAULT_PROFILE, old)).toBe(true);
    expect(mustLoadDefault(DEFAULT_PROFILE, host([DEFAULT_PROFILE_MARK]))).toBe(false);
    expect(mustLoadDefault("mine", host())).toBe(false);
    expect(mustLoadDefault(undefined, host())).toBe(false);
  });

  test("is found in the kernel's list whatever its name", () => {
    const text = "tsimg-default (enforce)\n/usr/bin/man (complain)\na (b) c//d (kill)\n\nbroken\n";
    expect([...parseLoadedProfiles(text)]).toEqual(["tsimg-default", "/usr/bin/man", "a (b) c//d"]);
  });
});
