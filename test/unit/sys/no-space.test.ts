import { constants } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ErrnoError } from "../../../src/sys/errno.ts";
import { TsimgError } from "../../../src/sys/error.ts";
import { noSpaceError } from "../../../src/sys/no-space.ts";

const full = new ErrnoError("write", constants.errno.ENOSPC, { path: "/x" });

it("a full file system is named with what is left of it, by its nearest directory", () => {
  const missing = join(import.meta.dirname, "not", "there");
  const error = noSpaceError(full, missing);
  expect(error?.code).toBe("ERR_NO_SPACE");
  expect(error?.message).toMatch(
    /^no space left on '.*\/unit\/sys': [\d.]+ [kMGT]?B of [\d.]+ [GT]B free$/,
  );
  expect(error?.hint).toContain("tsimg rmi");
  expect(error?.cause).toBe(full);
});

it("a quota that is used up is no full file system", () => {
  const error = noSpaceError(new ErrnoError("write", constants.errno.EDQUOT), "/");
  expect(error?.message).toBe("the quota of '/' is used up");
});

it("it is found behind other errors", () => {
  const wrapped = new TsimgError("ERR_UNPACK", "can't unpack", { cause: full });
  expect(noSpaceError(wrapped, "/")?.code).toBe("ERR_NO_SPACE");
  expect(noSpaceError(new SuppressedError(new Error("close"), wrapped), "/")?.cause).toBeDefined();
});

it("other errors are none of its business, and its own stay as they are", () => {
  expect(noSpaceError(new ErrnoError("write", constants.errno.EIO), "/")).toBeUndefined();
  expect(noSpaceError("text", "/")).toBeUndefined();
  const own = noSpaceError(full, "/");
  expect(noSpaceError(own, "/")?.message).toBe(own?.message);
});
