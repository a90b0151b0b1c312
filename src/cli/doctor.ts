import { examine, type Report } from "../storage/doctor/examine.ts";
import type { Finding } from "../storage/doctor/finding.ts";
import { DriverSet } from "../storage/driver-set.ts";
import { Command } from "./command.ts";
import { openApp } from "./globals.ts";
import { escapeControl } from "./output/escape-control.ts";
import { renderObjects } from "./output/format.ts";
import { print } from "./output/print.ts";
import { requireRoot } from "./require-root.ts";

const TITLES: Readonly<Record<Finding["area"], string>> = {
  driver: "Drivers",
  kernel: "Kernel",
  space: "Space",
  leftover: "Leftovers",
};

const EXAMPLES = `
Examples:
  $ tsimg doctor
  $ tsimg doctor --format json
  $ TSIMG_DRIVER=zfs tsimg doctor
`;

/** `tsimg doctor`: what is looked at stands in src/storage/doctor. */
export function command(): Command {
  return new Command("doctor")
    .description("try out every storage driver here, and say what is missing and the cure")
    .option("--format <format>", "json, or a template such as '{{.driver}}'")
    .addHelpText("after", EXAMPLES)
    .action((flags: { format?: string }, command: Command) => {
      requireRoot("trying out drivers");
      using app = openApp(command);
      const report = examine(app, new DriverSet(app));
      print(flags.format === undefined ? text(report) : renderObjects([report], flags.format));
      if (!report.works) process.exitCode = 1;
    });
}

function text({ findings, driver, works }: Report): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const sections = Object.entries(TITLES).map(([area, title]) => {
    const own = findings.filter((finding) => finding.area === area);
    const lines = own.length === 0 ? ["  none"] : own.flatMap((each) => linesOf(each, width));
    return [title, ...lines, ""].join("\n");
  });
  const verdict = works ? `${driver} is used, and works` : "the driver to use does not work";
  return `${sections.join("\n")}\n${verdict}\n`;
}

function linesOf({ state, name, detail, cure }: Finding, width: number): string[] {
  const line = `  ${state.padEnd(8)}${escapeControl(name).padEnd(Math.min(width, 20))}  ${escapeControl(detail)}`;
  return cure === undefined ? [line] : [line, `          cure: ${escapeControl(cure)}`];
}
