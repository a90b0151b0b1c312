import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, digestHex, sha256Digest } from "../../oci/digest.ts";
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from "../../oci/media-types.ts";

interface Blob {
  readonly digest: Digest;
  readonly bytes: Buffer;
}

/**
 * Writes an image as an OCI layout, in which it is called "latest".
 *
 * @param config the image configuration, as a document
 * @returns the digest of its manifest
 * @see OCI image-spec 1.1, image-layout.md
 */
export function writeLayout(directory: string, config: object, layers: readonly Blob[]): Digest {
  const configBlob = jsonBlob(config);
  const manifest = jsonBlob({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptor(OCI_CONFIG, configBlob),
    layers: layers.map((layer) => descriptor(OCI_LAYER_GZIP, layer)),
  });
  mkdirSync(join(directory, "blobs", "sha256"), { recursive: true });
  for (const blob of [...layers, configBlob, manifest])
    writeFileSync(blobPath(directory, blob.digest), blob.bytes);
  const annotations = { "org.opencontainers.image.ref.name": "latest" };
  const manifests = [{ ...descriptor(OCI_MANIFEST, manifest), annotations }];
  const index = { schemaVersion: 2, manifests };
  writeFileSync(join(directory, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  writeFileSync(join(directory, "index.json"), JSON.stringify(index));
  return manifest.digest;
}

/** Where a layout keeps a blob. */
export function blobPath(directory: string, digest: Digest): string {
  return join(directory, "blobs", "sha256", digestHex(digest));
}

function jsonBlob(document: object): Blob {
  const bytes = Buffer.from(JSON.stringify(document));
  return { digest: sha256Digest(bytes), bytes };
}

function descriptor(mediaType: string, { digest, bytes }: Blob) {
  return { mediaType, digest, size: bytes.length };
}
