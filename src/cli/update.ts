import { existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { App } from "../app.ts";
import type { Spec } from "../oci/runtime-spec.ts";
import type { Container } from "../runtime/container/container.ts";
import { restartMark } from "../runtime/container/launch-records.ts";
import { readSpec } from "../runtime/container/read-spec.ts";
import { parseRestartPolicy, type RestartPolicy } from "../runtime/container/restart-policy.ts";
import { type LimitedContainer, updateLimits } from "../runtime/container/update-limits.ts";
import type { LimitFlags } from "../runtime/limit-flags.ts";
import { limitWarnings } from "../runtime/limits.ts";
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
      if (Object.keys(flags).length === 0)
        throw new TsimgError("ERR_USAGE", "nothing is to be changed", {
          hint: "give a limit or --restart: tsimg update --help shows what can be changed",
        });
      using app = openApp(command);
      for (const warning of limitWarnings(flags)) process.stderr.write(`tsimg: ${warning}\n`);
      const debug = command.optsWithGlobals()["debug"] === true;
      process.exitCode = await eachNamed(names, debug, (name) => {
        update(app, app.containers.existing(name), flags);
        return name;
      });
    });
}

/** Changes what holds now, then what the next start goes by. */
function update(app: App, container: Container, flags: Flags): void {
  const { row, options, state } = container;
  const places = [app.containers.directory(row.id), app.containers.stateDirectory(row.id)];
  const bundles = places.filter((place) => existsSync(join(place, "config.json")));
  const spec = readSpec(bundles[0] ?? places[0] ?? "");
  const { linux } = spec;
  const limited: LimitedContainer = {
    name: row.name,
    running: state.status === "running",
    cgroups: options.cgroups,
    cgroupsPath: linux.cgroupsPath ?? `/tsimg/${row.id}`,
    resources: linux.resources ?? {},
  };
  const restart = flags.restart === undefined ? undefined : restartPolicy(container, flags.restart);
  const resources = updateLimits(limited, flags);
  const changed: Spec = { ...spec, linux: { ...linux, resources } };
  for (const bundle of bundles) replace(join(bundle, "config.json"), JSON.stringify(changed));
  if (restart !== undefined) keepPolicy(app, container, restart);
  app.containers.tell(row, "update");
}

/** @throws TsimgError ERR_USAGE for no policy, or a container that is removed when it ends */
function restartPolicy({ row }: Container, text: string): RestartPolicy {
  const policy = parseRestartPolicy(text);
  if (policy.name !== "no" && row.auto_remove === 1)
    throw new TsimgError("ERR_USAGE", `container '${row.name}' is removed when it ends`);
  return policy;
}

/** First the mark, so that no end finds a policy and no mark. */
function keepPolicy(app: App, { row, options, state }: Container, restart: RestartPolicy): void {
  if (restart.name !== "no" && state.status === "running")
    writeFileSync(restartMark(app.containers.stateDirectory(row.id)), "");
  app.containers.setOptions(row.id, { ...options, restart });
}

function replace(path: string, text: string): void {
  const half = `${path}.${process.pid}`;
  writeFileSync(half, text);
  renameSync(half, path);
}
