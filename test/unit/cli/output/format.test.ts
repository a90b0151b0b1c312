import { describe, expect, test } from "vitest";
import { LABEL, renderObjects, renderRows, withLabels } from "../../../../src/cli/output/format.ts";

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
    ["{{range .Labels}}x", /'{{range}}' has no '{{end}}'/],
    ["{{end}}", /belongs to nothing/],
    ["{{if}}x{{end}}", /not understood/],
    ["{{if .ID}}{{else}}{{else}}{{end}}", /belongs to nothing/],
    ["{{(.ID}}", /not understood/],
    ["{{.ID)}}", /not understood/],
    ["{{foo .ID}}", /'foo' in '{{foo \.ID}}' is not understood/],
    ["{{json}}", /not understood/],
    ["{{.ID .Repository}}", /not understood/],
    ["{{.ID |}}", /not understood/],
    ["{{.a..b}}", /empty name/],
    ['{{index .Labels "\\q"}}', /no string/],
    ["{{$x}}", /no variable '\$x'/],
  ])("the template %j is refused", (format, message) => {
    expect(() => renderRows(LISTING, ROWS, { format })).toThrow(message);
  });
});

test("rows with labels answer for one by its name, and no JSON shows that", () => {
  const listing = { ...LISTING, methods: [LABEL] };
  const row = withLabels({ ID: "1", Repository: "a", Labels: "x=y" }, { x: "y\nz" });
  const shown = (format: string) => renderRows(listing, [row], { format });
  expect(shown('{{.Label "x"}}|{{.Label "none"}}')).toBe("y\\nz|\n");
  expect(shown('{{println (.Label "x")}}')).toBe("y\\nz\n\n");
  expect(shown("json")).toBe('{"ID":"1","Repository":"a","Labels":"x=y"}\n');
  expect(() => shown("{{.Labels 1}}")).toThrow(/not understood/);
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
    // What docker prints of the same.
    ["{{.Config.Labels.foo}} {{.Config.Labels.foo.bar}}", "<no value> <no value>"],
    ["{{json .Config.Labels.foo}}", "null"],
    ["{{if .Config.Labels.foo}}y{{else}}n{{end}}", "n"],
    ["{{range .Config.Env}}{{println .}}{{end}}", "A=1\nB=2\n"],
    ["{{range $i, $e := .Config.Env}}{{if $i}},{{end}}{{$e}}{{end}}", "A=1,B=2"],
    ['{{range $k, $v := .Config.Labels}}{{$k}}={{$v}}{{"\\n"}}{{end}}', "a.b=c\n"],
    ["{{range .Config.Labels}}{{$.Id}}{{else}}none{{end}}", "c1"],
    ["{{with .State}}{{.Pid}}{{end}}{{with .State.Health}}x{{else}}none{{end}}", "42none"],
    ['{{if eq .Id "x"}}a{{else if eq .State.Pid 42}}b{{else}}c{{end}}', "b"],
    ["{{$x := .State}}{{$x.Pid}}{{$x = .Id}}{{$x}}", "42c1"],
    ['{{(index (split "a/b" "/") 1)}} {{slice .Id 0 1}}', "b c"],
    [
      '{{printf "%s|%5d|%-4s|%q|%v" .Id .State.Pid "a" "b" .State.Running}}',
      'c1|   42|a   |"b"|true',
    ],
    ['{{print "a" "b" 1 2}}|{{print 1 2}}', "ab1 2|1 2"],
    ['{{and .State.Running .Id}} {{or "" "x"}} {{not .State.Running}}', "c1 x false"],
    ['{{ne 1 2}} {{lt 1 2}} {{ge 2 2}} {{eq .Id "/a" "c1"}}', "true true true true"],
    ['{{title "foo bar"}} {{pad "x" 1 2}}|', "Foo Bar  x  |"],
    ["a {{- .Id -}} b{{/* said aside */}}", "ac1b"],
    ['{{"}}"}}', "}}"],
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
