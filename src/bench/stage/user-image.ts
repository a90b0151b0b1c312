import { App } from "../../app.ts";
import { StoreSource } from "../../image/store-source.ts";
import { familiarReference, parseReference } from "../../oci/reference.ts";
import { type RegistryServer, startRegistryServer } from "../../registry/server.ts";

/** An image that the user wants to be measured with. */
export interface UserImage extends AsyncDisposable {
  /** Where to pull it from. */
  readonly reference: string;
  readonly plainHttp: boolean;
}

/**
 * From the user's store, when it is there, so that no registry is asked again and again; else
 * from its registry.
 * @param root of the user's store
 */
export async function openUserImage(root: string, name: string): Promise<UserImage> {
  const reference = parseReference(name);
  const app = new App({ root });
  if (app.images.find(name) === undefined) {
    app[Symbol.dispose]();
    return { reference: name, plainHttp: false, async [Symbol.asyncDispose]() {} };
  }
  const source = new StoreSource(app);
  const server: RegistryServer = await startRegistryServer({ source, host: "127.0.0.1", port: 0 });
  const served = { ...reference, registry: `127.0.0.1:${server.port}` };
  return {
    reference: familiarReference(served),
    plainHttp: true,
    async [Symbol.asyncDispose]() {
      await server.close();
      app[Symbol.dispose]();
    },
  };
}
