import { readFileSync } from "node:fs";
import { dir, file, symlink } from "../../../fixtures/layers/change.ts";
import { layerTar } from "../../../fixtures/layers/layer-tar.ts";
import type { ServedLayer } from "./image-server.ts";

const PROGRAM = "/bin/busybox";

/** Whether this machine has the program that the image is made of. */
export function hasBusybox(): boolean {
  try {
    return !needsLoader(readFileSync(PROGRAM));
  } catch {
    return false;
  }
}

/** Whether a 64-bit program has a PT_INTERP segment: the image has no libraries. @see elf(5) */
function needsLoader(program: Buffer): boolean {
  const [start, size, count] = [
    Number(program.readBigUInt64LE(32)),
    program.readUInt16LE(54),
    program.readUInt16LE(56),
  ];
  return Array.from({ length: count }, (_, index) => start + index * size).some(
    (at) => program.readUInt32LE(at) === 3,
  );
}

/** A layer in which a shell runs. */
export function busyboxLayer(): ServedLayer {
  const program = readFileSync(PROGRAM).toString("latin1");
  const busybox = file("bin/busybox", "", { mode: 0o755 });
  const content = Buffer.from(program, "latin1");
  const entry = { ...busybox.entry, size: content.length };
  const applets = ["sh", "true", "sleep", "echo", "cat", "ls"];
  return {
    tar: layerTar([
      ...["bin", "dev", "etc", "proc", "sys", "tmp"].map((path) => dir(path)),
      { entry, content },
      ...applets.map((applet) => symlink(`bin/${applet}`, "busybox")),
      file("etc/passwd", "root:x:0:0:root:/:/bin/sh\n"),
    ]),
  };
}

/** A layer of many small files, so that unpacking takes a while. */
export function fillerLayer(seed: string, count = 400): ServedLayer {
  const changes = Array.from({ length: count }, (_, index) =>
    file(`${seed}/${index % 17}/${index}`, `${seed} ${index} `.repeat(40)),
  );
  return { tar: layerTar(changes) };
}
