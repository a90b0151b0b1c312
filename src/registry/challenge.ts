/** One way to prove who is asking, as a `WWW-Authenticate` header offers it. */
export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case; the first of each name counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

const MAX_CHALLENGES = 8;
const MAX_PARAMETERS = 16;
const MAX_HEADER_LENGTH = 16 * 1024;

const SEPARATORS = /[ \t,]*/y;
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const ASSIGNMENT =
  /([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+.^_`|~0-9A-Za-z:/-]+))/y;
const TOKEN68 = /[ \t]+[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$)/y;

/**
 * Parses the challenges of a `WWW-Authenticate` header. What follows a syntax error is left
 * out; so is everything beyond a handful of challenges.
 *
 * @see RFC 9110, section 11.6.1
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const text = header.slice(0, MAX_HEADER_LENGTH);
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  for (;;) {
    take(SEPARATORS);
    const current = found.at(-1);
    const assignment = take(ASSIGNMENT);
    if (assignment !== null) {
      if (current === undefined || current.parameters.size === MAX_PARAMETERS) return found;
      const [, name = "", quoted, plain = ""] = assignment;
      const key = name.toLowerCase();
      if (!current.parameters.has(key)) {
        current.parameters.set(key, quoted?.replace(/\\(.)/g, "$1") ?? plain);
      }
      continue;
    }
    const scheme = take(TOKEN);
    if (scheme === null || found.length === MAX_CHALLENGES) return found;
    found.push({ scheme: scheme[0].toLowerCase(), parameters: new Map() });
    take(TOKEN68);
  }
}
