import { posix } from "node:path";
import { TsimgError } from "../../sys/error.ts";
import type { ConstantName } from "./constants.ts";
import type { Steps } from "./steps.ts";
import type { Register, Words } from "./tape.ts";
import { flags, mode as modeBits, words } from "./tape.ts";

/*
 * Paths in the container are resolved by the kernel with the container's root as "/", so
 * that neither ".." nor a symbolic link of the image leads out of it, and used through the
 * descriptor that this gives. The path is never walked a second time.
 */

const IN_ROOT: readonly ConstantName[] = ["RESOLVE_IN_ROOT"];
/** For one name in a directory that is already resolved. */
const NO_LINKS: readonly ConstantName[] = ["RESOLVE_IN_ROOT", "RESOLVE_NO_SYMLINKS"];

const DIRECTORY_MODE = modeBits(0o755);

/** sizeof(struct open_how) */
export const OPEN_HOW_SIZE = 24;

export function openHow(
  open: readonly ConstantName[],
  resolve: readonly ConstantName[] = IN_ROOT,
  mode = 0,
): Words {
  const shownMode = mode === 0 ? "" : `, mode=0${mode.toString(8)}`;
  const text = `{flags=${open.join("|")}${shownMode}, resolve=${resolve.join("|")}}`;
  return words(text, flags(...open), mode, flags(...resolve));
}

const FIND = openHow(["O_PATH", "O_CLOEXEC"]);
const FIND_DIRECTORY = openHow(["O_PATH", "O_DIRECTORY", "O_CLOEXEC"]);
const FIND_PLAIN_DIRECTORY = openHow(["O_PATH", "O_DIRECTORY", "O_CLOEXEC"], NO_LINKS);
/** Not blocked by a FIFO that stands there. */
const MAKE_FILE = openHow(["O_CREAT", "O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC"], IN_ROOT, 0o644);

/** Nothing to normalise: most paths, and this is asked for each of them at every start. */
const PLAIN = /^(\/[\w-][\w.-]*)+$/;

/** `path` as the container sees it, without its leading slash; "." for the root. */
export function relativeToRoot(path: string): string {
  if (!path.startsWith("/")) {
    throw new TsimgError("ERR_USAGE", `"${path}" is not an absolute path in the container`);
  }
  if (path === "/") return ".";
  if (PLAIN.test(path)) return path.slice(1);
  const relative = posix.normalize(path).replace(/^\/+|\/+$/g, "");
  return relative === "" ? "." : relative;
}

/** Finds `path`, or leaves `into` untouched and goes on with `otherwise`. */
export function findOr(
  steps: Steps,
  root: Register,
  path: string,
  into: Register,
  branches: { readonly ok?: () => void; readonly otherwise?: () => void },
  kind: "any" | "directory" = "any",
): void {
  const how = kind === "any" ? FIND : FIND_DIRECTORY;
  steps.attempt(
    () => {
      const args = [root, relativeToRoot(path), how, OPEN_HOW_SIZE];
      steps.keep("openat2", args, `looking for "${path}" in the container`, { into });
    },
    { tolerate: ["ENOENT", "ENOTDIR"], ...branches },
  );
}

/** A descriptor of the directory `path`; what is missing of it is made, owned by root. */
export function directoryTarget(
  steps: Steps,
  root: Register,
  path: string,
  links: "follow" | "refuse" = "follow",
): Register {
  const target = steps.register();
  const refuse = links === "refuse";
  const hint = refuse
    ? `"${path}" must be a real directory in the image: a symbolic link there could lead the mount elsewhere`
    : `"${path}" in the image is not a directory`;
  steps.attempt(
    () => {
      const how = refuse ? FIND_PLAIN_DIRECTORY : FIND_DIRECTORY;
      const args = [root, relativeToRoot(path), how, OPEN_HOW_SIZE];
      steps.keep("openat2", args, `finding directory "${path}" in the container`, {
        into: target,
        hint,
      });
    },
    { tolerate: ["ENOENT"], otherwise: () => makeDirectories(steps, root, path, target) },
  );
  return target;
}

/**
 * A descriptor of `path`, to mount `source` (a descriptor) on. Made when missing, as a
 * directory or as an empty file, whichever `source` is.
 */
export function mountTarget(
  steps: Steps,
  root: Register,
  path: string,
  source: Register,
): Register {
  const target = steps.register();
  findOr(steps, root, path, target, {
    otherwise: () => {
      const kind = steps.register();
      steps.attempt(
        () => {
          const args = [source, ".", flags("O_PATH", "O_DIRECTORY", "O_CLOEXEC")];
          steps.keep("openat", args, `asking whether "${path}" is to be a directory`, {
            into: kind,
          });
        },
        {
          tolerate: ["ENOTDIR"],
          ok: () => makeDirectories(steps, root, path, target),
          otherwise: () => makeFile(steps, root, path, target),
        },
      );
    },
  });
  return target;
}

function makeDirectories(steps: Steps, root: Register, path: string, into: Register): void {
  const relative = relativeToRoot(path);
  const names = relative === "." ? [] : relative.split("/");
  let parent = root;
  names.forEach((name, index) => {
    const prefix = names.slice(0, index + 1).join("/");
    const why = `making directory "/${prefix}" in the container`;
    const here = parent;
    steps.attempt(
      () => steps.keep("openat2", [root, prefix, FIND_DIRECTORY, OPEN_HOW_SIZE], why, { into }),
      {
        tolerate: ["ENOENT"],
        otherwise: () => {
          // One plain name in a resolved directory: mkdirat follows no link there.
          steps.call("mkdirat", [here, name, DIRECTORY_MODE], why, {
            hint: `"/${prefix}" may be a dangling symbolic link in the image`,
          });
          steps.keep("openat2", [here, name, FIND_PLAIN_DIRECTORY, OPEN_HOW_SIZE], why, { into });
        },
      },
    );
    // The same register serves each level: the parent is read before it is overwritten.
    parent = into;
  });
}

function makeFile(steps: Steps, root: Register, path: string, into: Register): void {
  const relative = relativeToRoot(path);
  if (relative.includes("/")) makeDirectories(steps, root, posix.dirname(`/${relative}`), into);
  steps.keep(
    "openat2",
    [root, relative, MAKE_FILE, OPEN_HOW_SIZE],
    `making file "${path}" in the container to mount on`,
    { into, hint: `"${path}" may be a dangling symbolic link in the image` },
  );
}
