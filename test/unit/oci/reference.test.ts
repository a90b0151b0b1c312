import fc from "fast-check";
import { expect, test } from "vitest";
import { sha256Digest } from "../../../src/oci/digest.ts";
import {
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
} from "../../../src/oci/reference.ts";
import { TsimgError } from "../../../src/sys/error.ts";

const D = `sha256:${"0123456789abcdef".repeat(4)}`;

const AS_DOCKER_READS: Readonly<Record<string, readonly [full: string, familiar: string]>> = {
  alpine: ["docker.io/library/alpine:latest", "alpine:latest"],
  "alpine:3.20": ["docker.io/library/alpine:3.20", "alpine:3.20"],
  "index.docker.io/alpine": ["docker.io/library/alpine:latest", "alpine:latest"],
  "docker.io/library/alpine": ["docker.io/library/alpine:latest", "alpine:latest"],
  "docker.io/alpine": ["docker.io/library/alpine:latest", "alpine:latest"],
  "team/app": ["docker.io/team/app:latest", "team/app:latest"],
  "library/a/b": ["docker.io/library/a/b:latest", "library/a/b:latest"],
  localhost: ["docker.io/library/localhost:latest", "localhost:latest"],
  "localhost/x": ["localhost/x:latest", "localhost/x:latest"],
  "localhost:5000": ["docker.io/library/localhost:5000", "localhost:5000"],
  "host:5000/a/b:tag": ["host:5000/a/b:tag", "host:5000/a/b:tag"],
  "Host/a": ["Host/a:latest", "Host/a:latest"],
  "registry.example/a": ["registry.example/a:latest", "registry.example/a:latest"],
  "[::1]:5000/a": ["[::1]:5000/a:latest", "[::1]:5000/a:latest"],
  "[2001:db8::1]/a:v1": ["[2001:db8::1]/a:v1", "[2001:db8::1]/a:v1"],
  "a__b/c.d/e---f:V1.0-x": ["docker.io/a__b/c.d/e---f:V1.0-x", "a__b/c.d/e---f:V1.0-x"],
  [`alpine@${D}`]: [`docker.io/library/alpine@${D}`, `alpine@${D}`],
  [`host:5000/a/b:tag@${D}`]: [`host:5000/a/b:tag@${D}`, `host:5000/a/b:tag@${D}`],
  // The short names of these would mean something else.
  "docker.io/localhost/x": ["docker.io/localhost/x:latest", "docker.io/localhost/x:latest"],
  "docker.io/a.b/c": ["docker.io/a.b/c:latest", "docker.io/a.b/c:latest"],
};

test.each(Object.entries(AS_DOCKER_READS))("%s is read as docker reads it", (text, expected) => {
  const reference = parseReference(text);
  expect([formatReference(reference), familiarReference(reference)]).toEqual(expected);
});

const REFUSED: Readonly<Record<string, RegExp>> = {
  "": /is empty/,
  "Alpine:3": /upper-case letters/,
  "team/App": /upper-case letters/,
  "https://registry.example/a": /begins with a scheme/,
  ["0123456789abcdef".repeat(4)]: /is an image ID/,
  ":tag": /has no name/,
  "a//b": /empty part/,
  "a/": /empty part/,
  "/a": /empty part/,
  "a..b": /invalid part "a\.\.b"/,
  a___b: /invalid part/,
  "-a": /invalid part/,
  "a:": /invalid tag ""/,
  "a:.x": /invalid tag/,
  [`a:${"x".repeat(129)}`]: /invalid tag/,
  "a:b:c": /invalid tag "b:c"/,
  "a b": /invalid part/,
  "a\nb": /invalid part/,
  "../a": /invalid registry/,
  "host:99999/a": /invalid registry/,
  "[::1/a": /invalid registry/,
  "[1:2]/a": /invalid registry/,
  "-host.example/a": /invalid registry/,
  [`registry.example/${"a".repeat(256)}`]: /name of 256 characters/,
  "a@": /names no algorithm/,
  "a@sha256:abc": /3 digits in place of 64/,
  [`a@sha256:${"A".repeat(64)}`]: /other than 0-9 and a-f/,
  [`a@md5:${"a".repeat(32)}`]: /unknown algorithm/,
  [`a@${D}@${D}`]: /digits in place of/,
};

test.each(Object.entries(REFUSED))("%j is refused with the flaw and a cure", (text, flaw) => {
  const error = failureOf(() => parseReference(text));
  expect(error.code).toBe("ERR_REFERENCE");
  expect(error.message).toMatch(flaw);
  expect(error.hint).toBeTruthy();
  expect(error.message).not.toContain("\n");
});

const component = fc.stringMatching(/^[a-z0-9]{1,6}((\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}$/);
const registry = fc.oneof(
  fc.constantFrom("docker.io", "localhost", "[::1]", "[::1]:5000", "127.0.0.1:5000", "Host"),
  fc.stringMatching(/^[a-z0-9]{1,5}(-[a-z0-9]{1,3})?\.[a-z]{2,4}(:[1-9][0-9]{0,3})?$/),
);
const digest = fc.uint8Array({ maxLength: 4 }).map((bytes) => sha256Digest(bytes));
const reference: fc.Arbitrary<Reference> = fc
  .record({
    registry,
    path: fc.array(component, { minLength: 1, maxLength: 4 }),
    tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/), { nil: undefined }),
    digest: fc.option(digest, { nil: undefined }),
  })
  .map(({ registry, path, tag, digest }) => ({
    registry,
    repository: registry === "docker.io" && path.length === 1 ? `library/${path}` : path.join("/"),
    ...(digest === undefined ? { tag: tag ?? "latest" } : { digest, ...(tag && { tag }) }),
  }));

test("the full and the short form of any reference mean that reference", () => {
  fc.assert(
    fc.property(reference, (wanted) => {
      expect(parseReference(formatReference(wanted))).toEqual(wanted);
      expect(parseReference(familiarReference(wanted))).toEqual(wanted);
    }),
  );
});

test("any text is parsed to something that formats to itself, or refused in one line", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 80 }),
    fc.stringMatching(/^[aA0:/@.\-_[\]]{0,20}$/),
  );
  fc.assert(
    fc.property(text, (input) => {
      try {
        const parsed = parseReference(input);
        expect(parseReference(formatReference(parsed))).toEqual(parsed);
      } catch (error) {
        if (!(error instanceof TsimgError)) throw error;
        expect(error.message).toMatch(/^.+$/);
      }
    }),
    { numRuns: 300 },
  );
});

function failureOf(act: () => unknown): TsimgError {
  try {
    act();
  } catch (error) {
    if (error instanceof TsimgError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
