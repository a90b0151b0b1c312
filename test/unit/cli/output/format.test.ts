import { describe, expect, test } from "vitest";
import { renderObjects, renderRows } from "../../../../src/cli/output/format.ts";

const LISTING = {
  titles: { ID: "IMAGE ID", Repository: "REPOSITORY", Labels: "LABELS" },
  table: "{{.Repository}}\t{{.ID}}",
};
const ROWS = [
  { ID: "0123456789ab", Repository: "alpine", Labels: { b: "1", a: "x\x1b[2J" } },
  { ID: "ba9876543210", Repository: "team/app", Labels: {} },
];

describe("a listing", () => {
  test.each([
    [undefined, "REPOSITORY   IMAGE ID\nalpine       0123456789ab\nteam/app     ba9876543210\n"],
    [
      "table {{.ID}}\\t{{upper .Repository}}!",
      "IMAGE ID       REPOSITORY!\n0123456789ab   ALPINE!\nba9876543210   TEAM/APP!\n",
    ],
    ["{{.ID}}\\t{{.Repository}}", "0123456789ab\talpine\nba9876543210\tteam/app\n"],
    ["{{.Labels}}", "map[a:x\\x1b[2J b:1]\nmap[]\n"],
    ['{{index .Labels "b"}}|{{len .Labels}}', "1|2\n|0\n"],
    ["{{truncate .ID 4}}", "0123\nba98\n"],
    ["{{.Repository | upper | json}}", '"ALPINE"\n"TEAM/APP"\n'],
    ['{{split .Repository "/"}}', "[alpine]\n[team app]\n"],
  ])("as %j", (format, expected) => {
    expect(renderRows(LISTING, ROWS, { format })).toBe(expected);
  });

  test.each(["json", "{{json .}}"])("as %j is one object a line", (format) => {
    const lines = renderRows(LISTING, ROWS, { format }).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual(ROWS);
  });

  test("--quiet is the ID alone, unless a template is given", () => {
    const quiet = true;
    expect(renderRows(LISTING, ROWS, { quiet })).toBe("0123456789ab\nba9876543210\n");
    expect(renderRows(LISTING, ROWS, { quiet, format: "table" })).toMatch(/^0123456789ab\n/);
    expect(renderRows(LISTING, ROWS, { quiet, format: "{{.Repository}}" })).toMatch(/^alpine\n/);
  });

  test("of nothing is the titles as a table and nothing else", () => {
    expect(renderRows(LISTING, [], {})).toBe("REPOSITORY   IMAGE ID\n");
    for (const format of ["json", "{{.ID}}"]) expect(renderRows(LISTING, [], { format })).toBe("");
  });

  test("an unknown field is refused even without rows, naming the known ones", () => {
    for (const format of ["{{.Foo}}", "table {{json .Foo.Bar}}", "{{.constructor}}"]) {
      const error = expect.objectContaining({
        code: "ERR_USAGE",
        message: expect.stringMatching(/unknown field '\.(Foo|constructor)' in --format/),
        hint: "the fields here are ID, Repository, Labels",
      });
      expect(() => renderRows(LISTING, [], { format })).toThrow(error);
    }
  });

  test.each([
    ["{{.ID", /has no '}}'/],
    ["{{}}", /'{{}}' is not understood/],
    ["{{range .Labels}}x{{end}}", /'range' in '{{range \.Labels}}' is not understood/],
    ["{{json}}", /not understood/],
    ["{{.ID .Repository}}", /not understood/],
    ["{{.ID |}}", /not understood/],
    ["{{.a..b}}", /empty name/],
    ['{{index .Labels "\\q"}}', /no string/],
    ['{{join (split .ID "") ","}}', /not understood/],
    ["{{$x}}", /not understood/],
  ])("the template %j is refused", (format, message) => {
    expect(() => renderRows(LISTING, ROWS, { format })).toThrow(message);
  });
});

describe("objects", () => {
  const objects = [
    {
      Id: "c1",
      State: { Pid: 42, Running: true, Health: null },
      Config: { Env: ["A=1", "B=2"], Labels: { "a.b": "c" } },
    },
  ];

  test("are a JSON array unless a format is given", () => {
    expect(JSON.parse(renderObjects(objects, undefined))).toEqual(objects);
    expect(renderObjects(objects, "json")).toBe(`${JSON.stringify(objects[0])}\n`);
  });

  test.each([
    ["{{.State.Pid}}", "42"],
    ["{{.State.Running}} {{.State.Health}}", "true <no value>"],
    ["{{json .Config.Env}}", '["A=1","B=2"]'],
    ["{{.Config.Env}}", "[A=1 B=2]"],
    ['{{join .Config.Env ","}}', "A=1,B=2"],
    ['{{index .Config.Labels "a.b"}}', "c"],
    ["{{index .Config.Env 1}}", "B=2"],
    ["{{index .Config.Labels `none`}}", ""],
  ])("%s", (format, expected) => expect(renderObjects(objects, format)).toBe(`${expected}\n`));

  test("a field that isn't there is refused where it is missing", () => {
    const refusal = (format: string) => {
      try {
        return renderObjects(objects, format);
      } catch (error) {
        return error;
      }
    };
    expect(refusal("{{.State.pid}}")).toMatchObject({
      message: "unknown field '.State.pid' in --format '{{.State.pid}}'",
      hint: "the fields here are Pid, Running, Health",
    });
    expect(refusal("{{.State.Health.Status}}")).toMatchObject({
      hint: "'.State.Health' has no fields",
    });
  });
});
