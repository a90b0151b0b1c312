import fc from "fast-check";
import { expect, test } from "vitest";
import { escapeControl, jsonText } from "../../../../src/cli/output/escape-control.ts";
import { formatTable } from "../../../../src/cli/output/table.ts";

test("columns are as wide as their widest cell, three spaces apart", () => {
  const columns = [{ title: "REPOSITORY" }, { title: "SIZE", right: true }, { title: "TAG" }];
  const rows = [
    ["alpine", "7.34MB", "3.20"],
    ["registry.example/app", "5B", ""],
  ];
  expect(formatTable(columns, rows)).toBe(
    [
      "REPOSITORY               SIZE   TAG",
      "alpine                 7.34MB   3.20",
      "registry.example/app       5B",
      "",
    ].join("\n"),
  );
});

const hostile = fc.string({
  unit: fc.oneof(
    fc.integer({ min: 0, max: 0x24f }).map((code) => String.fromCharCode(code)),
    fc.constantFrom("\u200b", "\u202e", "\u2028", "\u2066", "\ufeff", "語"),
  ),
});

test("no cell makes a second line or says anything to the terminal", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(hostile, hostile)), (rows) => {
      const lines = formatTable([{ title: "A" }, { title: "B" }], rows).split("\n");
      expect(lines.length).toBe(rows.length + 2);
      for (const line of lines) {
        expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
        expect(line).toBe(line.trimEnd());
      }
    }),
  );
});

test("controls are written as what they are", () => {
  expect(escapeControl("a\tb\r\n\x1b[2J\x9b\u202ec")).toBe("a\\tb\\r\\n\\x1b[2J\\x9b\\u202ec");
});

test("JSON says nothing to the terminal and still means the same", () => {
  fc.assert(
    fc.property(fc.dictionary(hostile, hostile), fc.constantFrom(undefined, 4), (value, indent) => {
      const text = jsonText(value, indent);
      expect(text.replaceAll("\n", "")).toBe(escapeControl(text.replaceAll("\n", "")));
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
