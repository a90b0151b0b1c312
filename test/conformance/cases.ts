import { ATTRIBUTE_CASES } from "./cases/attributes.ts";
import { DIRECTORY_CASES } from "./cases/directories.ts";
import type { LayerCases } from "./cases/layers.ts";
import { LINK_CASES } from "./cases/links.ts";
import { NAME_CASES } from "./cases/names.ts";
import { SIZE_CASES } from "./cases/sizes.ts";
import { SYMLINK_CASES } from "./cases/symlinks.ts";
import { TYPE_CASES } from "./cases/types.ts";
import { WHITEOUT_CASES } from "./cases/whiteouts.ts";

/** Layers that storage drivers have got wrong, base first. */
export const CASES: LayerCases = {
  ...TYPE_CASES,
  ...DIRECTORY_CASES,
  ...WHITEOUT_CASES,
  ...SYMLINK_CASES,
  ...LINK_CASES,
  ...ATTRIBUTE_CASES,
  ...NAME_CASES,
  ...SIZE_CASES,
};
