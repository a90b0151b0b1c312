import { TsimgError } from "../../sys/error.ts";
import type { VolumeMount } from "../mounts/mount-point.ts";

type Options = Readonly<Record<string, string>>;

const KNOWN = ["type", "device", "o"];

/**
 * Checks the options of the local driver, as `volume create --opt` has them: none, or the type
 * and device of something to mount and its mount options.
 *
 * @throws TsimgError ERR_USAGE
 */
export function checkLocalOptions(options: Options): void {
  const names = Object.keys(options);
  const strange = names.find((name) => !KNOWN.includes(name));
  if (strange !== undefined)
    throw badOption(`unknown option '${strange.slice(0, 64)}'`, `known: ${KNOWN.join(", ")}`);
  if (names.length === 0) return;
  const { type, device } = options;
  for (const name of ["type", "device"])
    if ((options[name] ?? "") === "") throw badOption(`option '${name}' is missing`, EXAMPLE);
  const all = Object.values(options).join("");
  if (all.includes("\0")) throw badOption("a NUL can't be in an option", EXAMPLE);
  if (isBind(options) && device?.startsWith("/") !== true)
    throw badOption(`'${device}' is not an absolute path`, EXAMPLE);
  const address = words(options).find((word) => word.startsWith("addr="));
  // The kernel resolves no names.
  if (type?.startsWith("nfs") === true && !isAddress(address?.slice("addr=".length) ?? ""))
    throw badOption("'o' has no addr= with an IP address", "as in --opt o=addr=10.0.0.7,nfsvers=4");
}

function isAddress(text: string): boolean {
  // Loaded here and not on import: it takes 4 ms.
  return process.getBuiltinModule("node:net").isIP(text) !== 0;
}

/** What a volume with such options is mounted as; undefined when it is a plain directory. */
export function localMount(options: Options): VolumeMount | undefined {
  const { type, device } = options;
  if (type === undefined || device === undefined) return undefined;
  if (!isBind(options)) return { type, source: device, options: words(options) };
  const binds = words(options).some((word) => word === "bind" || word === "rbind");
  return {
    type: "bind",
    source: device,
    options: [...(binds ? [] : ["rbind"]), "rprivate", ...words(options)],
  };
}

function isBind(options: Options): boolean {
  return (
    options["type"] === "bind" || words(options).some((word) => word === "bind" || word === "rbind")
  );
}

function words(options: Options): readonly string[] {
  return (options["o"] ?? "").split(",").filter((word) => word !== "");
}

const EXAMPLE = "as in --opt type=tmpfs --opt device=tmpfs --opt o=size=64m";

function badOption(what: string, hint: string): TsimgError {
  return new TsimgError("ERR_USAGE", `local volume: ${what}`, { hint });
}
