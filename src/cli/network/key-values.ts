import { TsimgError } from "../../sys/error.ts";

/**
 * The values of flags such as `--label KEY=VALUE`; without "=" the value is empty.
 *
 * @throws TsimgError ERR_USAGE for an empty key
 */
export function keyValues(
  texts: readonly string[],
  flag: string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf("=");
      const key = equals < 0 ? text : text.slice(0, equals);
      if (key !== "") return [key, equals < 0 ? "" : text.slice(equals + 1)];
      throw new TsimgError("ERR_USAGE", `invalid ${flag} "${text.slice(0, 64)}"`, {
        hint: `write ${flag} key=value`,
      });
    }),
  );
}
