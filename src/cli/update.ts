import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { App } from "../app.ts";
import type { Spec } from "../oci/runtime-spec.ts";
import type { Container } from "../runtime/container/container.ts";
import { type LimitedContainer, updateLimits } from "../runtime/container/update-limits.ts";
import type { LimitFlags } from "../runtime/limit-flags.ts";
import { limitWarnings } from "../runtime/limits.ts";
import { parseRestartPolicy } from "../runtime/restart-policy.ts";
import { errorCode } from "../sys/errno.ts";
import { TsimgError } from "../sys/error.ts";
import { Command } from "./command.ts";
import { eachNamed } from "./each-named.ts";
import { openApp } from "./globals.ts";
import { changeableLimitOptions } from "./run-flags/limits.ts";

interface Flags extends LimitFlags {
  readonly restart?: string;
}

const EXAMPLES = `
Examples:
  $ tsimg update --memory 1g --memory-swap 2g web
  $ tsimg update --cpus 0.5 --pids-limit 200 web db
`;

/** `tsimg update` */
export function command(): Command {
  return changeableLimitOptions(new Command("update"))
    .description("change the limits of containers, at once where they run")
    .argument("<container...>", "names or IDs")
    .option("--restart <policy>", "no, always, unless-stopped, on-failure[:times]")
    .addHelpText("after", EXAMPLES)
    .action(async (names: string[], flags: Flags, command: Command) => {
      using app = openApp(command);
      if (flags.restart !== undefined) refuseRestart(flags.restart);
      for (const warning of limitWarnings(flags)) process.stderr.write(`tsimg: ${warning}\n`);
      const debug = command.optsWithGlobals()["debug"] === true;
      process.exitCode = await eachNamed(names, debug, (name) => {
        update(app, app.containers.existing(name), flags);
        return name;
      });
    });
}

/** @throws TsimgError always: nothing restarts containers yet */
function refuseRestart(text: string): void {
  const { kind } = parseRestartPolicy(text);
  throw new TsimgError("ERR_USAGE", `--restart ${kind} can't be given to a container that exists`, {
    hint: "leave it out",
  });
}

/** Changes what holds now, then the bundle, which says what does. */
function update(app: App, { row, options, state }: Container, flags: LimitFlags): void {
  const path = join(app.containers.stateDirectory(row.id), "config.json");
  const spec = readSpec(path, row.name);
  const { linux } = spec;
  const container: LimitedContainer = {
    name: row.name,
    cgroups: state.status === "running" ? options.cgroups : [],
    cgroupsPath: linux.cgroupsPath ?? `/tsimg/${row.id}`,
    resources: linux.resources ?? {},
  };
  const resources = updateLimits(container, flags);
  const changed: Spec = { ...spec, linux: { ...linux, resources } };
  const half = `${path}.${process.pid}`;
  writeFileSync(half, JSON.stringify(changed));
  renameSync(half, path);
}

function readSpec(path: string, name: string): Spec {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Spec;
  } catch (cause) {
    throw new TsimgError("ERR_STATE", `container '${name}' has no bundle: ${errorCode(cause)}`, {
      cause,
      hint: "it ended before the machine was started: remove it and run it anew",
    });
  }
}
