/** An ID as tables show it: twelve digits, or all of it and its algorithm. */
export function shortId(id: string, noTrunc = false): string {
  return noTrunc ? id : id.slice(id.indexOf(":") + 1).slice(0, 12);
}

/** `text` cut to `most` characters, the last of them then an ellipsis. */
export function ellipsis(text: string, most: number): string {
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`;
}
