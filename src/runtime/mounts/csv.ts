/**
 * The fields of one line of CSV: a field in double quotes may hold commas, and quotes when
 * they are doubled.
 *
 * @returns undefined when a quote stands where it can't
 * @see RFC 4180
 */
export function csvFields(line: string): readonly string[] | undefined {
  const fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|$)/y;
  for (;;) {
    const match = field.exec(line);
    if (match === null) return undefined;
    const [, quoted, plain = "", end] = match;
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "") return fields;
  }
}
