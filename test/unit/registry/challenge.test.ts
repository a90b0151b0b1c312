import fc from "fast-check";
import { expect, test } from "vitest";
import { parseChallenges } from "../../../src/registry/challenge.ts";

function plain(header: string) {
  return parseChallenges(header).map(({ scheme, parameters }) => [
    scheme,
    Object.fromEntries(parameters),
  ]);
}

test.each([
  ["Basic", [["basic", {}]]],
  ['BASIC realm="a \\"b\\" c"', [["basic", { realm: 'a "b" c' }]]],
  [
    'Bearer realm="https://auth.example/token",service=registry , SCOPE="repository:a:pull,push"',
    [
      [
        "bearer",
        {
          realm: "https://auth.example/token",
          service: "registry",
          scope: "repository:a:pull,push",
        },
      ],
    ],
  ],
  [
    'Negotiate abc==, Basic realm="x"',
    [
      ["negotiate", {}],
      ["basic", { realm: "x" }],
    ],
  ],
  [
    'Basic realm="x", Bearer realm=y',
    [
      ["basic", { realm: "x" }],
      ["bearer", { realm: "y" }],
    ],
  ],
  ['Bearer realm="first",realm="second"', [["bearer", { realm: "first" }]]],
  [
    'Bearer realm="no end',
    [
      ["bearer", {}],
      ["realm", {}],
    ],
  ],
  ['realm="no scheme"', []],
  ["", []],
  ["\u0001", []],
])("%j", (header, expected) => {
  expect(plain(header)).toEqual(expected);
});

test("any header is read, in bounded size", () => {
  const piece = fc.oneof(
    fc.constantFrom("Bearer ", "Basic", ",", "=", '"', "\\", " ", 'a="b"', "realm=", "=="),
    fc.string({ maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const found = parseChallenges(pieces.join(""));
      expect(found.length).toBeLessThanOrEqual(8);
      for (const { parameters } of found) expect(parameters.size).toBeLessThanOrEqual(16);
    }),
  );
});

test("a hostile header of any length takes no more than a moment", () => {
  for (const piece of ['a="', "a =", "a,", '"\\', "aaaa ", "a=="]) {
    parseChallenges(`Bearer ${piece.repeat(1_000_000)}`);
  }
});
