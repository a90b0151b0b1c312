import type { IdMapping, Linux } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import { awaitLauncher, release } from "./await.ts";
import { isNew } from "./namespaces.ts";
import type { Steps } from "./steps.ts";
import { bytes, CHILD, flags, words } from "./tape.ts";

const MAPS = "the user namespace's maps";

/** How the maps of a new user namespace come to be written. */
export type MapWriter =
  /** Written by the launcher, which has CAP_SETUID where the namespace's parent is. */
  | { readonly kind: "kernel" }
  /** By the set-user-ID programs of these paths, as an ordinary user. */
  | { readonly kind: "programs"; readonly newuidmap: string; readonly newgidmap: string }
  /** One's own ID alone; group membership can then not be changed. */
  | { readonly kind: "single" };

/** A map as the kernel takes it. @see user_namespaces(7) */
export function mapText(mappings: readonly IdMapping[]): string {
  return mappings.map((one) => `${one.containerID} ${one.hostID} ${one.size}\n`).join("");
}

/** The launcher's part, beside the child: nobody in the namespace may write its maps. */
export function writeMaps(steps: Steps, linux: Linux, writer: MapWriter): void {
  if (!isNew(linux.namespaces, "user")) return;
  const { uidMappings = [], gidMappings = [] } = linux;
  if (uidMappings.length === 0 || gidMappings.length === 0) {
    throw new TsimgError("ERR_LAUNCH", "a new user namespace needs uidMappings and gidMappings");
  }
  const digits = bytes("{pid}", new Uint8Array(24));
  steps.call("print", [digits, CHILD], "naming the container's first process");
  if (writer.kind === "programs") {
    runMapper(steps, writer.newuidmap, digits, uidMappings);
    runMapper(steps, writer.newgidmap, digits, gidMappings);
  } else {
    steps.scope(() => {
      const why = "opening the container's /proc directory";
      const how = flags("O_PATH", "O_DIRECTORY", "O_CLOEXEC");
      const proc = steps.keep("openat", [flags("AT_FDCWD"), "/proc", how], why);
      const own = steps.keep("openat", [proc, digits, how], why);
      const write = (file: string, text: string) => writeIn(steps, own, file, text);
      if (writer.kind === "single") write("setgroups", "deny");
      write("uid_map", mapText(uidMappings));
      write("gid_map", mapText(gidMappings));
      steps.call("close", [own], why);
      steps.call("close", [proc], why);
    });
  }
  release(steps, MAPS);
}

/** The child's part: waits for the maps, then is root in the namespace. */
export function becomeMappedRoot(steps: Steps, linux: Linux, writer: MapWriter): void {
  if (isNew(linux.namespaces, "user")) awaitLauncher(steps, MAPS);
  const why = "becoming root of the user namespace";
  if (writer.kind !== "single") steps.call("setgroups", [0, 0], why);
  steps.call("setresgid", [0, 0, 0], why);
  steps.call("setresuid", [0, 0, 0], why);
}

function writeIn(
  steps: Steps,
  directory: ReturnType<Steps["register"]>,
  file: string,
  text: string,
): void {
  const why = `writing ${file} of the user namespace`;
  steps.scope(() => {
    const fd = steps.keep("openat", [directory, file, flags("O_WRONLY", "O_CLOEXEC")], why);
    steps.call("write", [fd, text, Buffer.byteLength(text)], why, {
      hint: "the IDs must be yours to give: see /etc/subuid and /etc/subgid",
    });
    steps.call("close", [fd], why);
  });
}

function runMapper(
  steps: Steps,
  program: string,
  pid: ReturnType<typeof bytes>,
  mappings: readonly IdMapping[],
): void {
  const numbers = mappings.flatMap((one) => [one.containerID, one.hostID, one.size]).map(String);
  const argv = words(`[${program}, {pid}, ${numbers.join(", ")}]`, program, pid, ...numbers, 0);
  steps.call("program", [program, argv, words("[]", 0)], `running "${program}"`, {
    hint: "the ranges in /etc/subuid and /etc/subgid must hold the IDs that it is to map",
  });
}
