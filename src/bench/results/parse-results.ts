import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import schema from "../../../docs/bench-results.schema.json" with { type: "json" };
import { errorCode } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import type { Results } from "./results.ts";

/**
 * Reads results that a bench wrote.
 * @throws TsimgError ERR_USAGE when the file can't be read or isn't such
 */
export function readResults(path: string): Results {
  const document = parseJson(path);
  const validate = new Ajv2020({ allErrors: false, strict: true }).compile<Results>(schema);
  if (validate(document)) return document;
  const [error] = validate.errors ?? [];
  const where = error?.instancePath === "" ? "the document" : error?.instancePath;
  throw new TsimgError(
    "ERR_USAGE",
    `'${path}' holds no bench results: ${where} ${error?.message}`,
    {
      hint: "name a results.json that tsimg bench --out has written",
    },
  );
}

function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    const reason = errorCode(cause) ?? "it is no JSON";
    throw new TsimgError("ERR_USAGE", `can't read bench results '${path}': ${reason}`, { cause });
  }
}
