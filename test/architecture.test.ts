import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, normalize } from "node:path";
import { expect, it } from "vitest";

interface Import {
  /** As in `src/cli/run.ts:3`. */
  readonly place: string;
  readonly file: string;
  /** A path from the project's root, or the name of a package. */
  readonly target: string;
  readonly isPackage: boolean;
}

const ROOT = join(import.meta.dirname, "..");
const IMPORT =
  /(?:\bfrom|\bimport|\bimport\(|\brequire\(|createRequire\(import\.meta\.url\)\()\s*"([^"]+)"/g;

const readme = readFileSync(join(ROOT, "src/README.md"), "utf8");
const imports = [...sources("src"), ...sources("drivers")].flatMap(importsOf);

it("reads the imports of the whole program", () => {
  expect(imports.length).toBeGreaterThan(300);
  expect(imports.some(({ target }) => target === "src/sys/libc.ts")).toBe(true);
  expect(imports.some(({ target }) => target === "ffi-rs")).toBe(true);
});

it("imports go only where the table of src/README.md lets them", () => {
  const allowed = new Map(
    table("folder").map(([folder = "", list = ""]) => [folder, list.split(", ").filter(Boolean)]),
  );
  const wrong = imports
    .filter(({ isPackage }) => !isPackage)
    .filter(({ file, target }) => !mayImport(allowed, file, target))
    .map(({ place, target }) => `${place} imports ${target}`);
  expect(wrong).toEqual([]);
});

it("each npm package is imported in one place only", () => {
  const places = new Map(table("package").map(([name = "", place = ""]) => [name, place]));
  const wrong = imports
    .filter(({ isPackage, target }) => isPackage && !isBuiltin(target))
    .filter(({ file, target }) => !file.startsWith(places.get(packageOf(target)) ?? "nowhere"))
    .map(({ place, target }) => `${place} imports ${target}`);
  expect(wrong).toEqual([]);
});

it("no folder and no file is a place for everything", () => {
  const everything = /(^|[/-])(utils?|helpers?|common|misc)([./-]|$)/;
  const files = [
    ...sources("src"),
    ...sources("drivers"),
    ...sources("test"),
    ...sources("fixtures"),
  ];
  expect(files.filter((file) => everything.test(file))).toEqual([]);
});

it("no file only passes on what others export", () => {
  const files = [...sources("src"), ...sources("drivers")];
  const barrels = files.filter((file) => {
    const text = readFileSync(join(ROOT, file), "utf8");
    return /^export (\*|\{[^}]*\}) from /m.test(text);
  });
  expect(barrels).toEqual([]);
});

function mayImport(
  allowed: ReadonlyMap<string, readonly string[]>,
  file: string,
  target: string,
): boolean {
  if (target === "package.json") return true;
  const [from, to] = [folderOf(file), folderOf(target)];
  if (from !== to) return allowed.get(from)?.includes(to) ?? false;
  // Drivers know nothing of each other, but share what lies beside their folders.
  return from !== "drivers" || ["drivers", dirname(file)].includes(dirname(target));
}

/** The folder's name as the table has it. */
function folderOf(file: string): string {
  if (file === "src/app.ts") return "app";
  if (file === "drivers/driver.ts") return "driver";
  const [top = "", folder = ""] = file.split("/");
  return top === "src" ? folder : top;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  return [...text.matchAll(IMPORT)].map((match) => {
    const target = match[1] ?? "";
    const isPackage = !target.startsWith(".");
    return {
      file,
      place: `${file}:${text.slice(0, match.index).split("\n").length}`,
      target: isPackage ? target : normalize(join(dirname(file), target)),
      isPackage,
    };
  });
}

function sources(folder: string): string[] {
  const found = readdirSync(join(ROOT, folder), { recursive: true }) as string[];
  return found.filter((path) => path.endsWith(".ts")).map((path) => `${folder}/${path}`);
}

/** The rows of the table in src/README.md whose first heading is `heading`. */
function table(heading: string): readonly (readonly string[])[] {
  const lines = readme.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`)) + 2;
  const end = lines.findIndex((line, index) => index > start && !line.startsWith("|"));
  return lines.slice(start, end).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function isBuiltin(name: string): boolean {
  return name.startsWith("node:") || builtinModules.includes(name);
}

function packageOf(name: string): string {
  return name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");
}
