import { join } from "node:path";
import type { DeviceRule } from "../../oci/linux-resources.ts";
import { isTotal } from "./device-program.ts";
import type { Setting } from "./setting.ts";

/** Nothing to write when all devices are allowed: that is how a group starts. */
export function deviceSettings(group: string, rules: readonly DeviceRule[]): readonly Setting[] {
  if (rules.every((rule) => rule.allow)) return [];
  return rules.flatMap(kindsOf).map((rule) => {
    const value = ruleText(rule);
    const verb = rule.allow ? "allow" : "deny";
    const why = `${verb} ${value === "a" ? "all devices" : `device ${value}`}`;
    return { file: join(group, `devices.${verb}`), value, why };
  });
}

/** To the kernel "a" is everything, whatever numbers and letters stand behind it. */
function kindsOf(rule: DeviceRule): readonly DeviceRule[] {
  if ((rule.type ?? "a") !== "a" || isTotal(rule)) return [rule];
  return [
    { ...rule, type: "b" },
    { ...rule, type: "c" },
  ];
}

function ruleText(rule: DeviceRule): string {
  if (isTotal(rule)) return "a";
  const number = (value: number | undefined) => (value === undefined ? "*" : String(value));
  return `${rule.type ?? "a"} ${number(rule.major)}:${number(rule.minor)} ${rule.access ?? "rwm"}`;
}
