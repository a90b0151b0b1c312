import { App } from "./src/app.ts";
import { pullImage } from "./src/image/pull.ts";
import { hostPlatform } from "./src/oci/platform.ts";
import { parseReference } from "./src/oci/reference.ts";
import { RegistryClient } from "./src/registry/client.ts";
const [root, ref] = process.argv.slice(2) as [string, string];
using app = new App({ root });
using client = new RegistryClient({ userAgent: "x" });
const t = performance.now();
const phases = new Map<string, string>();
try {
const r = await pullImage({ database: app.database, paths: app.paths, content: app.content, snapshots: app.snapshots, images: app.images, client, unpackProgram: new URL("./src/layer/unpack-main.ts", import.meta.url).pathname },
 { reference: parseReference(ref), platform: hostPlatform(), driver: "overlay2", parallel: 3, maxLayerBytes: 2**36, signal: new AbortController().signal,
   onEvent: (e) => { if (phases.get(e.digest) !== e.phase) { phases.set(e.digest, e.phase); console.log((performance.now() - t).toFixed(0), e.digest.slice(7, 19), e.phase); } }, onLayers: () => {} });
console.log(r.name, r.target, r.changed, r.image.size, (performance.now() - t).toFixed(0), "ms", process.resourceUsage().maxRSS);
} catch (e) { console.log(e); }
