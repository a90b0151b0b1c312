const SYMBOLS = [
  "circle",
  "rect",
  "triangle",
  "diamond",
  "emptyCircle",
  "emptyRect",
  "emptyTriangle",
] as const;

/** Every driver keeps its colour and its symbol through the whole report. */
export class Palette {
  readonly names: readonly string[];

  constructor(names: readonly string[]) {
    this.names = names;
  }

  /** A custom property of the page, which has another value in the dark. */
  colour(name: string): string {
    return `var(--driver-${this.names.indexOf(name) % 8})`;
  }

  symbol(name: string): string {
    return SYMBOLS[this.names.indexOf(name) % SYMBOLS.length] ?? "circle";
  }
}
