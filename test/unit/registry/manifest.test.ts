import { afterAll, expect, test } from "vitest";
import { OCI_MANIFEST } from "../../../src/oci/media-types.ts";
import {
  describe,
  failureOf,
  type Handler,
  impatientClient,
  scriptedRegistry,
} from "./scripted-registry.ts";

const MANIFEST = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST }));
const DESCRIPTOR = describe(MANIFEST, OCI_MANIFEST);
const { client } = impatientClient();
afterAll(() => client[Symbol.dispose]());

function answering(headers: Record<string, string>, body = MANIFEST): Handler {
  return (request, response) => {
    response.writeHead(200, { "content-length": body.length, ...headers });
    response.end(request.method === "HEAD" ? undefined : body);
  };
}

const GOOD = answering({
  "content-type": OCI_MANIFEST,
  "docker-content-digest": DESCRIPTOR.digest,
});

test("a tag is resolved by one HEAD, with the types that can be read", async () => {
  await using registry = await scriptedRegistry(GOOD);
  expect(await client.resolve(registry.reference("team/app:v1"))).toEqual(DESCRIPTOR);
  expect(registry.asked).toEqual(["HEAD /v2/team/app/manifests/v1"]);
  expect(registry.requests[0]?.headers.accept).toContain(OCI_MANIFEST);
  expect(registry.requests[0]?.headers["user-agent"]).toBe("test");
});

test.each([
  ["no digest", answering({ "content-type": OCI_MANIFEST })],
  ["a digest that is none", answering({ "docker-content-digest": "sha256:x" })],
  ["no type", answering({ "docker-content-digest": DESCRIPTOR.digest })],
  [
    "no HEAD at all",
    ((request, response) =>
      request.method === "HEAD"
        ? void response.writeHead(405).end()
        : GOOD(request, response)) as Handler,
  ],
])("of a registry that offers %s the manifest itself is fetched", async (_, handler) => {
  await using registry = await scriptedRegistry(handler);
  expect(await client.resolve(registry.reference("app"))).toEqual(DESCRIPTOR);
  expect(registry.asked.map((line) => line.split(" ")[0])).toEqual(["HEAD", "GET"]);
});

test("a reference with tag and digest is resolved by its digest", async () => {
  await using registry = await scriptedRegistry(GOOD);
  const reference = registry.reference(`app:v1@${DESCRIPTOR.digest}`);
  expect(await client.resolve(reference)).toEqual(DESCRIPTOR);
  expect(registry.asked).toEqual([`HEAD /v2/app/manifests/${DESCRIPTOR.digest}`]);
});

test("a registry that resolves a digest to another one is refused", async () => {
  await using registry = await scriptedRegistry(GOOD);
  const other = describe(Buffer.from("other")).digest;
  const failure = await failureOf(client.resolve(registry.reference(`app@${other}`)));
  expect(failure).toMatchObject({ code: "ERR_DIGEST_MISMATCH" });
});

test("bytes that don't have the digest that was asked for are refused", async () => {
  await using registry = await scriptedRegistry(GOOD);
  const other = describe(Buffer.from("other")).digest;
  const failure = await failureOf(client.fetchManifest(registry.reference("app"), other));
  expect(failure).toMatchObject({ code: "ERR_DIGEST_MISMATCH" });
});

test("bytes that don't have the digest that the registry states are refused", async () => {
  const lie = { "docker-content-digest": describe(Buffer.from("other")).digest };
  await using registry = await scriptedRegistry(answering(lie));
  const failure = await failureOf(client.fetchManifest(registry.reference("app"), "latest"));
  expect(failure).toMatchObject({ code: "ERR_DIGEST_MISMATCH" });
});

test("a manifest is fetched with its bytes untouched", async () => {
  await using registry = await scriptedRegistry(GOOD);
  const fetched = await client.fetchManifest(registry.reference("app"), DESCRIPTOR.digest);
  expect(fetched).toEqual({ bytes: MANIFEST, descriptor: DESCRIPTOR });
});

test("a manifest without end is read to its limit and refused", async () => {
  await using registry = await scriptedRegistry((_, response) => {
    response.writeHead(200, { "content-type": OCI_MANIFEST });
    const more = () => void response.write(Buffer.alloc(65_536), (error) => !error && more());
    more();
  });
  const failure = await failureOf(client.fetchManifest(registry.reference("app"), "latest"));
  expect(failure).toMatchObject({ code: "ERR_MANIFEST_INVALID", message: /larger than 4194304/ });
});

test("a manifest that is missing is said to be so, by its name", async () => {
  await using registry = await scriptedRegistry(
    (_, response) => void response.writeHead(404).end(),
  );
  const failure = await failureOf(client.resolve(registry.reference("app:none")));
  const message = `manifest for "${registry.host}/app:none" not found`;
  expect(failure).toMatchObject({ code: "ERR_MANIFEST_UNKNOWN", message });
});

test("a registry that isn't there is said to refuse connections, at once", async () => {
  const registry = await scriptedRegistry(GOOD);
  await registry[Symbol.asyncDispose]();
  const failure = await failureOf(client.resolve(registry.reference("app")));
  expect(failure).toMatchObject({ code: "ERR_REGISTRY", message: /refuses the connection/ });
});

test("a client that is aborted before it asks doesn't ask", async () => {
  await using registry = await scriptedRegistry(GOOD);
  const reason = new Error("stop");
  const aborted = AbortSignal.abort(reason);
  expect(await failureOf(client.resolve(registry.reference("app"), aborted))).toBe(reason);
  expect(registry.asked).toEqual([]);
});
