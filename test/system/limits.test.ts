import { describe } from "vitest";
import { hasBusybox } from "./support/busybox-image.ts";
import { limitCases } from "./support/limit-cases.ts";

const reason =
  process.getuid?.() === 0 && hasBusybox() ? undefined : "(needs root and a static busybox)";

describe.skipIf(reason)(`limits ${reason ?? "with this machine's cgroups"}`, limitCases);
