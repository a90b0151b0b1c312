import type { MakeDriver } from "./workshop.ts";

export function describeLifecycle(_makeDriver: MakeDriver): void {}
