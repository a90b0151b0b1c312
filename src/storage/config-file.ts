import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, TomlError } from "smol-toml";
import { errorCode, tolerating } from "../sys/errno.ts";
import { TsimgError } from "../sys/error.ts";
import { type Config, mergeConfigs, NO_CONFIG, parseConfig } from "./config.ts";

/** No configuration of drivers needs more. */
const MOST_BYTES = 1 << 20;

const SYSTEM_FILE = "/etc/tsimg/config.toml";

/**
 * The configuration: /etc/tsimg/config.toml, then $XDG_CONFIG_HOME/tsimg/config.toml, which
 * overrides it. TSIMG_CONFIG names another file in place of both. Read when first asked for.
 */
export class ConfigFiles {
  private readonly environment: NodeJS.ProcessEnv;
  private config: Config | undefined;

  constructor(environment: NodeJS.ProcessEnv = process.env) {
    this.environment = environment;
  }

  /** Those that are looked at, the overriding one last. */
  get paths(): readonly string[] {
    const named = this.environment["TSIMG_CONFIG"];
    if (named !== undefined && named !== "") return [named];
    const home = this.environment["HOME"];
    const ownHome = home === undefined || home === "" ? undefined : join(home, ".config");
    // As the base directory specification has it, a relative one counts as unset.
    const asked = this.environment["XDG_CONFIG_HOME"];
    const directory = asked?.startsWith("/") ? asked : ownHome;
    return directory === undefined
      ? [SYSTEM_FILE]
      : [SYSTEM_FILE, join(directory, "tsimg", "config.toml")];
  }

  /** @throws TsimgError ERR_USAGE for a file that can't be read or says what it can't say */
  read(): Config {
    if (this.config === undefined) {
      const named = this.paths.length === 1 && this.paths[0] !== SYSTEM_FILE;
      this.config = this.paths
        .map((path) => readConfig(path, named))
        .reduce(mergeConfigs, NO_CONFIG);
    }
    return this.config;
  }
}

/** @param needed whether it is an error that the file isn't there */
function readConfig(file: string, needed: boolean): Config {
  const text = readText(file, needed);
  if (text === undefined) return NO_CONFIG;
  try {
    return parseConfig(parse(text), file);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason = "it is not TOML"] = error.message
      .replace(/^Invalid TOML document: /, "")
      .split("\n");
    throw new TsimgError(
      "ERR_USAGE",
      `config file '${file}', line ${error.line}, column ${error.column}: ${reason}`,
      { hint: "docs/configuration.md shows a whole file" },
    );
  }
}

function readText(file: string, needed: boolean): string | undefined {
  try {
    // ENOTDIR, EACCES: a home directory of somebody else, as with sudo.
    const absent = needed ? [] : ["ENOENT", "ENOTDIR", "EACCES"];
    const bytes = tolerating(absent, () => readFileSync(file));
    if (bytes === undefined) return undefined;
    if (bytes.length > MOST_BYTES)
      throw new TsimgError("ERR_USAGE", `config file '${file}' has ${bytes.length} bytes`, {
        hint: `at most ${MOST_BYTES} are read: is it the right file?`,
      });
    return bytes.toString();
  } catch (cause) {
    if (cause instanceof TsimgError) throw cause;
    throw new TsimgError("ERR_USAGE", `can't read config file '${file}'`, {
      cause,
      hint:
        errorCode(cause) === "ENOENT" ? "TSIMG_CONFIG names it" : "check what it is and its mode",
    });
  }
}
