import { describe, expect, test } from "vitest";
import {
  buildEnvironment,
  DEFAULT_PATH,
  type EnvironmentSources,
} from "../../../src/runtime/environment.ts";

const build = (sources: Partial<EnvironmentSources>) =>
  buildEnvironment({
    image: [],
    files: [],
    flags: [],
    caller: { HERE: "caller's", EMPTY: "" },
    hostname: "box",
    home: "/root",
    tty: false,
    ...sources,
  });

describe("the environment of a container", () => {
  test("has a path, the host name and a home, and with a terminal its type", () => {
    expect(build({})).toEqual([`PATH=${DEFAULT_PATH}`, "HOSTNAME=box", "HOME=/root"]);
    expect(build({ tty: true })).toContain("TERM=xterm");
  });

  test("takes the image's values, then the files', then the flags', each name once", () => {
    const env = build({
      image: ["PATH=/bin", "A=image", "B=image", "C=image", "HOME=/srv"],
      files: [{ path: "f", text: "B=file\nC=file\n" }],
      flags: ["C=flag", "D=a=b"],
      tty: true,
    });
    expect(env).toEqual([
      "PATH=/bin",
      "HOSTNAME=box",
      "TERM=xterm",
      "A=image",
      "B=file",
      "C=flag",
      "HOME=/srv",
      "D=a=b",
    ]);
  });

  test("takes a name alone from the caller, and drops what the caller hasn't got", () => {
    const env = build({ image: ["GONE=1", "KEPT=1"], flags: ["HERE", "EMPTY", "GONE"] });
    expect(env).toEqual(expect.arrayContaining(["HERE=caller's", "EMPTY=", "KEPT=1"]));
    expect(env).not.toContain("GONE=1");
    expect(build({ image: ["GONE=1"], files: [{ path: "f", text: "GONE" }] })).toContain("GONE=1");
  });

  test("reads a file as docker does: comments, blanks in front, nothing unquoted", () => {
    const text =
      '\uFEFF# comment\n\n  A="quoted" # not a comment\r\nB=\n\t#indented\nHERE\nNOT_HERE\n';
    expect(build({ files: [{ path: "f", text }] }).slice(2, -1)).toEqual([
      'A="quoted" # not a comment',
      "B=",
      "HERE=caller's",
    ]);
  });

  test("is refused with file and line, or with the flag", () => {
    expect(() => build({ files: [{ path: "my.env", text: "OK=1\nA B=1" }] })).toThrow(
      'variable name "A B" contains white space in my.env:2',
    );
    expect(() => build({ files: [{ path: "my.env", text: "=x" }] })).toThrow("my.env:1");
    expect(() => build({ flags: ["=x"] })).toThrow('invalid environment variable "=x" in -e');
    expect(() => build({ flags: ["A=\0"] })).toThrow("invalid environment variable");
  });

  test("passes over what is no setting in an image", () => {
    expect(build({ image: ["", "=x", "NOTHING", "A=\0", "B=1"] }).slice(2, -1)).toEqual(["B=1"]);
  });
});
