import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "../../oci/digest.ts";
import { type ImageIndex, parseManifest } from "../../oci/manifest.ts";
import type { RegistrySource, ServedBlob, ServedManifest } from "../../registry/server-source.ts";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { blobPath } from "./write-layout.ts";

const TAG = "org.opencontainers.image.ref.name";

/** The images of an OCI layout as one repository of a registry. */
export class LayoutSource implements RegistrySource {
  private readonly directory: string;
  private readonly repository: string;

  constructor(directory: string, repository: string) {
    this.directory = directory;
    this.repository = repository;
  }

  repositories(): readonly string[] {
    return [this.repository];
  }

  tags(repository: string): readonly string[] | undefined {
    if (repository !== this.repository) return undefined;
    return this.index().manifests.flatMap((each) => each.annotations?.[TAG] ?? []);
  }

  manifest(repository: string, reference: string): ServedManifest | undefined {
    if (repository !== this.repository) return undefined;
    const found = this.index().manifests.find(
      ({ digest, annotations }) => digest === reference || annotations?.[TAG] === reference,
    );
    if (found === undefined) return undefined;
    const { digest, mediaType } = found;
    return { digest, mediaType, bytes: readFileSync(blobPath(this.directory, digest)) };
  }

  blob(repository: string, digest: Digest): ServedBlob | undefined {
    if (repository !== this.repository) return undefined;
    const path = blobPath(this.directory, digest);
    const size = tolerating(["ENOENT"], () => statSync(path).size);
    return size === undefined ? undefined : { path, size };
  }

  private index(): ImageIndex {
    const file = join(this.directory, "index.json");
    const parsed = parseManifest(readFileSync(file), undefined);
    if (parsed.kind === "index") return parsed;
    throw new TsimgError("ERR_MANIFEST_INVALID", `"${file}" is not an image index`);
  }
}
