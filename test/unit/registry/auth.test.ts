import type { IncomingMessage, ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { OCI_MANIFEST } from "../../../src/oci/media-types.ts";
import type { CredentialSource, Credentials } from "../../../src/registry/credentials.ts";
import {
  describe,
  failureOf,
  type Handler,
  impatientClient,
  MemorySink,
  scriptedRegistry,
} from "./scripted-registry.ts";

const BLOB = Buffer.from("a layer");
const DESCRIPTOR = describe(BLOB);
const BASIC = `Basic ${Buffer.from("me:se:cret").toString("base64")}`;
const LOGIN: Credentials = { kind: "basic", username: "me", password: "se:cret" };

function source(login: Credentials | undefined): CredentialSource {
  return { find: async () => login };
}

function challenge(response: ServerResponse, value: string): void {
  response.writeHead(401, { "www-authenticate": value }).end("{}");
}

/** A registry that wants a token, with its own token server at `/token`. */
function tokenRegistry(issue: (request: IncomingMessage) => object | number): Handler {
  return (request, response) => {
    if (request.url?.startsWith("/token")) {
      request.resume();
      const answer = issue(request);
      if (typeof answer === "number") response.writeHead(answer).end();
      else response.end(JSON.stringify(answer));
      return;
    }
    if (request.headers.authorization === "Bearer good") return void response.end(BLOB);
    const realm = `http://${request.headers.host}/token?kept=1`;
    challenge(response, `Basic realm="x", Bearer realm="${realm}",service="s v",scope="a:b:pull"`);
  };
}

async function pull(handler: Handler, login?: Credentials) {
  await using registry = await scriptedRegistry(handler);
  const { client, waits } = impatientClient({ credentials: source(login) });
  using _ = client;
  const sink = new MemorySink();
  const failure = await client
    .downloadBlob(registry.reference("team/app"), DESCRIPTOR, sink)
    .then(() => undefined)
    .catch((error: unknown) => error);
  return { failure, sink, waits, asked: registry.asked, requests: registry.requests };
}

test("an anonymous token is asked for where the challenge says, and used", async () => {
  const { failure, asked, requests } = await pull(tokenRegistry(() => ({ token: "good" })));
  expect(failure).toBeUndefined();
  const blob = `GET /v2/team/app/blobs/${DESCRIPTOR.digest}`;
  expect(asked).toEqual([blob, "GET /token?kept=1&service=s+v&scope=a%3Ab%3Apull", blob]);
  expect(requests[1]?.headers.authorization).toBeUndefined();
});

test("a name and password go to the token server, not to the registry", async () => {
  const { failure, requests } = await pull(
    tokenRegistry(() => ({ access_token: "good" })),
    LOGIN,
  );
  expect(failure).toBeUndefined();
  const sent = requests.map(({ headers }) => headers.authorization);
  expect(sent).toEqual([undefined, BASIC, "Bearer good"]);
});

test("an identity token is exchanged by POST", async () => {
  const login: Credentials = { kind: "identity-token", token: "id" };
  const { failure, asked, requests } = await pull(
    tokenRegistry(() => ({ token: "good" })),
    login,
  );
  expect(failure).toBeUndefined();
  expect(asked[1]).toBe("POST /token?kept=1");
  expect(requests[1]?.headers["content-type"]).toBe("application/x-www-form-urlencoded");
});

test("plain basic auth is answered when there is a login", async () => {
  const handler: Handler = (request, response) =>
    request.headers.authorization === BASIC
      ? void response.end(BLOB)
      : challenge(response, 'Basic realm="registry"');
  expect((await pull(handler, LOGIN)).failure).toBeUndefined();
  const { failure, asked } = await pull(handler);
  expect(failure).toMatchObject({ code: "ERR_UNAUTHORIZED", hint: /docker login/ });
  expect(asked).toHaveLength(1);
});

test("one token serves parallel and later requests of a repository, until it expires", async () => {
  let issued = 0;
  const handler = tokenRegistry(() => {
    issued += 1;
    return { token: "good", expires_in: 300 };
  });
  await using registry = await scriptedRegistry(handler);
  const { client } = impatientClient();
  using _ = client;
  const fetch = () => client.downloadBlob(registry.reference("app"), DESCRIPTOR, new MemorySink());
  await Promise.all([fetch(), fetch(), fetch()]);
  await fetch();
  expect(issued).toBe(1);
  expect(registry.requests.at(-1)?.headers.authorization).toBe("Bearer good");
  expect(registry.asked).toHaveLength(3 + 1 + 3 + 1);
});

test("a token that the registry revokes is renewed once", async () => {
  let good = "first";
  const handler: Handler = (request, response) => {
    if (request.url?.startsWith("/token")) {
      response.end(JSON.stringify({ token: good }));
    } else if (request.headers.authorization === `Bearer ${good}`) {
      response.end(BLOB);
    } else {
      challenge(response, `Bearer realm="http://${request.headers.host}/token"`);
    }
  };
  await using registry = await scriptedRegistry(handler);
  const { client } = impatientClient();
  using _ = client;
  const fetch = () => client.downloadBlob(registry.reference("app"), DESCRIPTOR, new MemorySink());
  await fetch();
  good = "second";
  await fetch();
  expect(registry.asked.filter((line) => line.includes("/token"))).toHaveLength(2);
  expect(registry.asked[1]).toContain("scope=repository%3Aapp%3Apull");
});

test("a token that is refused is an error with the registry's words, not a loop", async () => {
  const { failure, asked } = await pull(tokenRegistry(() => ({ token: "bad" })));
  expect(failure).toMatchObject({ code: "ERR_UNAUTHORIZED" });
  expect(asked).toHaveLength(3);
});

test.each([
  [{ token: "a\r\nx-evil: 1" }, "ERR_REGISTRY"],
  [{ token: 7 }, "ERR_REGISTRY"],
  [{}, "ERR_REGISTRY"],
  [403, "ERR_UNAUTHORIZED"],
  [401, "ERR_UNAUTHORIZED"],
])("a token server that answers %j ends the pull", async (answer, code) => {
  expect((await pull(tokenRegistry(() => answer))).failure).toMatchObject({ code });
});

test("a token server in trouble is asked again", async () => {
  const answers = [503, 429];
  const { failure } = await pull(tokenRegistry(() => answers.shift() ?? { token: "good" }));
  expect(failure).toBeUndefined();
});

test.each([
  "http://token.example/token",
  "http://user:pass@127.0.0.1/token",
  "ftp://127.0.0.1/token",
  "file:///etc/passwd",
  "",
])("the token server %j is not trusted", async (realm) => {
  const { failure, asked } = await pull(
    (_, response) => challenge(response, `Bearer realm="${realm}"`),
    LOGIN,
  );
  expect(failure).toMatchObject({ code: "ERR_REGISTRY", message: /can't be trusted/ });
  expect(asked).toHaveLength(1);
});

test.each([301, 302, 303, 307, 308])(
  "%d to another port leaves credentials behind",
  async (code) => {
    await using storage = await scriptedRegistry((_, response) => void response.end(BLOB));
    const { failure, requests } = await pull((request, response) => {
      if (request.headers.authorization !== BASIC) return challenge(response, "Basic");
      response.writeHead(code, { location: `${storage.url}/blob?signature=x` }).end();
    }, LOGIN);
    expect(failure).toBeUndefined();
    expect(requests.at(-1)?.headers.authorization).toBe(BASIC);
    expect(storage.asked).toEqual(["GET /blob?signature=x"]);
    expect(storage.requests[0]?.headers.authorization).toBeUndefined();
  },
);

test("credentials stay behind also when a redirect leads back", async () => {
  let home = "";
  await using away = await scriptedRegistry(
    (_, response) => void response.writeHead(302, { location: `${home}/back` }).end(),
  );
  const { requests } = await pull((request, response) => {
    home = `http://${request.headers.host}`;
    if (request.url === "/back") response.end(BLOB);
    else if (request.headers.authorization !== BASIC) challenge(response, "Basic");
    else response.writeHead(307, { location: `http://evil:x@${away.host}/` }).end();
  }, LOGIN);
  expect(away.requests[0]?.headers.authorization).toBeUndefined();
  expect(requests.at(-1)?.url).toBe("/back");
  expect(requests.at(-1)?.headers.authorization).toBeUndefined();
});

test("a redirect within the registry keeps credentials and the range", async () => {
  await using registry = await scriptedRegistry((request, response) => {
    if (request.headers.authorization !== BASIC) challenge(response, "Basic");
    else if (request.url === "/moved") {
      response.writeHead(206, { "content-range": `bytes 2-6/${BLOB.length}` });
      response.end(BLOB.subarray(2));
    } else response.writeHead(307, { location: "/moved" }).end();
  });
  const { client } = impatientClient({ credentials: source(LOGIN) });
  using _ = client;
  const sink = new MemorySink(BLOB.subarray(0, 2));
  await client.downloadBlob(registry.reference("app"), DESCRIPTOR, sink);
  expect(sink.bytes.equals(BLOB)).toBe(true);
  expect(registry.requests.at(-1)?.headers.range).toBe("bytes=2-");
});

test("a challenge of another host is not answered", async () => {
  await using away = await scriptedRegistry((_, response) => challenge(response, "Basic"));
  const { failure } = await pull(
    (_, response) => void response.writeHead(302, { location: away.url }).end(),
    LOGIN,
  );
  expect(failure).toMatchObject({ code: "ERR_UNAUTHORIZED" });
  expect(away.asked).toHaveLength(1);
});

test.each(["file:///etc/passwd", "http://[", "gopher://x/"])(
  "a redirect to %s is refused",
  async (location) => {
    const { failure } = await pull(
      (_, response) => void response.writeHead(302, { location }).end(),
    );
    expect(failure).toMatchObject({ code: "ERR_REGISTRY", message: /which is no/ });
  },
);

test("redirects in a circle end after five", async () => {
  const { failure, asked } = await pull(
    (_, response) => void response.writeHead(302, { location: "/x" }).end(),
  );
  expect(failure).toMatchObject({ message: /in a circle/ });
  expect(asked).toHaveLength(6);
});

test("the manifest of a private repository is denied with the registry's reason", async () => {
  const body = JSON.stringify({
    errors: [{ code: "DENIED", message: "requested access is denied" }],
  });
  await using registry = await scriptedRegistry((request, response) => {
    response.writeHead(403, { "content-type": OCI_MANIFEST });
    response.end(request.method === "HEAD" ? undefined : body);
  });
  const { client } = impatientClient();
  using _ = client;
  const failure = await failureOf(client.fetchManifest(registry.reference("app"), "latest"));
  expect(failure).toMatchObject({ code: "ERR_UNAUTHORIZED", message: /access is denied$/ });
});
