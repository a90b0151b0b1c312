import type { App } from "../app.ts";
import { type Image, imageTags } from "../image/image-store.ts";
import { parseImageConfig } from "../oci/image-config.ts";

/** An image as docker's inspect shows it, with each driver in which it is unpacked. */
export function inspectImage(app: App, image: Image): object {
  const parsed = parseImageConfig(Buffer.from(image.config));
  const tags = imageTags(app.images.names(image.digest)).filter(
    (name) => name.repository !== "<none>",
  );
  const layers = app.images.layers(image.digest);
  const unpacked = app.snapshots.driversOf(image.chainId).flatMap((driver) => {
    const top = app.snapshots.byChain(driver, image.chainId);
    return top === undefined ? [] : [{ Name: driver, Data: app.snapshots.paths(top.id) }];
  });
  return {
    Id: image.configDigest,
    RepoTags: tags
      .filter((name) => name.tag !== "<none>")
      .map((name) => `${name.repository}:${name.tag}`),
    RepoDigests: tags.map((name) => `${name.repository}@${name.digest}`),
    Digest: image.digest,
    MediaType: image.mediaType,
    Created: image.created,
    Author: parsed.author ?? "",
    Architecture: image.architecture,
    Variant: image.variant ?? "",
    Os: image.os,
    Size: image.size,
    Config: parsed.config,
    RootFS: { Type: "layers", Layers: layers.map((layer) => layer.diffId) },
    Layers: layers.map((layer) => ({
      MediaType: layer.mediaType,
      Digest: layer.digest,
      Size: layer.size,
      DiffID: layer.diffId,
      ChainID: layer.chainId,
    })),
    GraphDriver: unpacked[0] ?? null,
    GraphDrivers: unpacked,
  };
}
