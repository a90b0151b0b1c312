import type { Change } from "../../../fixtures/layers/change.ts";

/** Layers by what they are about, base first. A case that went wrong elsewhere says where. */
export type LayerCases = Readonly<Record<string, readonly (readonly Change[])[]>>;
