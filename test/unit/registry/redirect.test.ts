import { afterEach, expect, test, vi } from "vitest";
import { parseReference } from "../../../src/oci/reference.ts";
import { endpointsOf } from "../../../src/registry/endpoint.ts";
import { sendFollowing } from "../../../src/registry/redirect.ts";
import type { HttpRequest, Transport } from "../../../src/registry/transport.ts";
import { describe, impatientClient, MemorySink, scriptedRegistry } from "./scripted-registry.ts";

afterEach(() => vi.unstubAllEnvs());

/** A transport that redirects from each address to the next. */
function redirecting(...hops: readonly string[]): { transport: Transport; sent: HttpRequest[] } {
  const sent: HttpRequest[] = [];
  const transport: Transport = {
    send: async (request) => {
      sent.push(request);
      const location = hops[sent.length];
      return {
        status: location === undefined ? 200 : 302,
        headers: location === undefined ? {} : { location },
        receive: async () => {},
        close: () => {},
      };
    },
    close: () => {},
  };
  return { transport, sent };
}

function follow(...hops: readonly [string, ...string[]]) {
  const { transport, sent } = redirecting(...hops);
  const headers = { Authorization: "secret", range: "bytes=1-" };
  const { signal } = new AbortController();
  const url = new URL(hops[0]);
  return { sent, arrived: sendFollowing(transport, { method: "GET", url, headers, signal }) };
}

test("a redirect from https to http is refused before anything is sent", async () => {
  const { sent, arrived } = follow("https://a.example/", "http://a.example/");
  await expect(arrived).rejects.toThrow(/give up encryption/);
  expect(sent).toHaveLength(1);
});

test.each(["https://b.example/", "https://a.example:8443/", "https://sub.a.example/"])(
  "authorization is not sent from https://a.example on to %s",
  async (target) => {
    const { sent, arrived } = follow("https://a.example/", "/x", target, "https://a.example/back");
    expect((await arrived).elsewhere).toBe(true);
    const headers = sent.map((request) => Object.keys(request.headers));
    const [with_, without] = [["Authorization", "range"], ["range"]];
    expect(headers).toEqual([with_, with_, without, without]);
  },
);

test("the scheme belongs to the origin: http to https leaves credentials behind", async () => {
  const { sent, arrived } = follow("http://localhost/", "https://localhost/");
  await arrived;
  expect(sent[1]?.headers).toEqual({ range: "bytes=1-" });
});

test("registries are asked by https, but loopback hosts by plain http first", () => {
  const urls = (registry: string, plain = false) => endpointsOf(registry, plain).map(String);
  expect(urls("docker.io")).toEqual(["https://registry-1.docker.io/"]);
  expect(urls("registry.example:5000")).toEqual(["https://registry.example:5000/"]);
  expect(urls("registry.example", true)).toEqual(["http://registry.example/"]);
  for (const host of ["localhost:1", "127.0.0.1:1", "127.9.9.9:1", "[::1]:1"]) {
    expect(urls(host)).toEqual([`http://${host}/`, `https://${host}/`]);
  }
  for (const host of ["127.example", "localhost.example", "[::2]"])
    expect(urls(host)).toHaveLength(1);
});

test("a proxy of the environment is used, but not for loopback hosts", async () => {
  const blob = Buffer.from("a layer");
  await using proxy = await scriptedRegistry((_, response) => void response.end(blob));
  vi.stubEnv("http_proxy", proxy.url);
  vi.stubEnv("HTTP_PROXY", proxy.url);
  const { client } = impatientClient({ plainHttp: true });
  using _ = client;
  const fetch = (name: string) =>
    client.downloadBlob(parseReference(name), describe(blob), new MemorySink());
  await fetch("registry.invalid:5000/app");
  expect(proxy.asked[0]).toContain("http://registry.invalid:5000/v2/app/blobs/");
  await using direct = await scriptedRegistry((_, response) => void response.end(blob));
  await fetch(`${direct.host}/app`);
  expect([proxy.asked.length, direct.asked.length]).toEqual([1, 1]);
});
