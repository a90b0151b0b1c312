import type { NamespaceType, Spec } from "../../oci/runtime-spec.ts";
import type { ConstantName } from "../tape/constants.ts";

const NAMESPACES: Readonly<Record<NamespaceType, ConstantName>> = {
  user: "CLONE_NEWUSER",
  pid: "CLONE_NEWPID",
  time: "CLONE_NEWTIME",
  mount: "CLONE_NEWNS",
  uts: "CLONE_NEWUTS",
  ipc: "CLONE_NEWIPC",
  network: "CLONE_NEWNET",
  cgroup: "CLONE_NEWCGROUP",
};

/** Every namespace of a container that isn't its starter's. */
export function namespacesOf(spec: Spec): readonly ConstantName[] {
  return spec.linux.namespaces.map(({ type }) => NAMESPACES[type]);
}
