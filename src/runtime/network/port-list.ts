import { type ContainerPort, parseExposed } from "./port-request.ts";

/** What an image exposes, for display: words that make no sense are passed over. */
export function parsePortList(texts: readonly string[]): readonly ContainerPort[] {
  return texts.flatMap((text) => {
    try {
      return parseExposed(text);
    } catch {
      return [];
    }
  });
}
