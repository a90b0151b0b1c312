import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Spec } from "../../oci/runtime-spec.ts";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";

/** The spec of a container that was made before. @throws TsimgError ERR_STORE */
export function readSpec(directory: string): Spec {
  const path = join(directory, "config.json");
  const text = tolerating(["ENOENT"], () => readFileSync(path, "utf8"));
  if (text !== undefined) return JSON.parse(text) as Spec;
  throw new TsimgError("ERR_STORE", `'${path}' is missing`, {
    hint: "the container can't be started without it: remove it and make another",
  });
}
