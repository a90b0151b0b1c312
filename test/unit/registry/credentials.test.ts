import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loginCredentials } from "../../../src/registry/credentials.ts";

const root = mkdtempSync(join(tmpdir(), "tsimg-logins-"));
afterAll(() => rmSync(root, { recursive: true }));

const base64 = (text: string) => Buffer.from(text).toString("base64");
let count = 0;

/** An environment with these contents of docker's and podman's files. */
function environment(docker?: unknown, podman?: unknown): NodeJS.ProcessEnv {
  count += 1;
  const home = join(root, String(count));
  const write = (directory: string, name: string, content: unknown): void => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(
      join(directory, name),
      typeof content === "string" ? content : JSON.stringify(content),
    );
  };
  if (docker !== undefined) write(join(home, ".docker"), "config.json", docker);
  if (podman !== undefined) write(join(home, "containers"), "auth.json", podman);
  return { HOME: home, XDG_RUNTIME_DIR: home };
}

test("logins of docker and podman are found by the names that they use for registries", async () => {
  const login = (name: string) => ({ auth: base64(`${name}:pass:word`) });
  const env = environment(
    {
      auths: {
        "https://index.docker.io/v1/": login("hub"),
        "registry.example:5000": login("plain"),
        "https://old.example/v2/": login("old"),
      },
    },
    { auths: { "quay.example/team": login("team"), "quay.example": login("all") } },
  );
  const source = loginCredentials(env);
  const name = async (registry: string, repository: string) => {
    const found = await source.find(registry, repository);
    if (found?.kind === "basic") expect(found.password).toBe("pass:word");
    return found?.kind === "basic" ? found.username : found;
  };
  expect(await name("docker.io", "library/alpine")).toBe("hub");
  expect(await name("registry.example:5000", "a")).toBe("plain");
  expect(await name("registry.example", "a")).toBeUndefined();
  expect(await name("old.example", "a")).toBe("old");
  expect(await name("quay.example", "team/app")).toBe("team");
  expect(await name("quay.example", "teams/app")).toBe("all");
  expect(await name("other.example", "a")).toBeUndefined();
});

test("identity and registry tokens are told apart from passwords", async () => {
  const auths = {
    "id.example": { auth: base64("<token>:ignored"), identitytoken: "abc" },
    "token.example": { auth: base64("<token>:abc") },
    "direct.example": { registrytoken: "abc" },
    "empty.example": {},
    "nul.example": { auth: base64("me:secret\0\0") },
  };
  const source = loginCredentials(environment({ auths }));
  const find = (registry: string) => source.find(registry, "a");
  expect(await find("id.example")).toEqual({ kind: "identity-token", token: "abc" });
  expect(await find("token.example")).toEqual({ kind: "identity-token", token: "abc" });
  expect(await find("direct.example")).toEqual({ kind: "registry-token", token: "abc" });
  expect(await find("empty.example")).toBeUndefined();
  expect(await find("nul.example")).toMatchObject({ username: "me", password: "secret" });
});

test("DOCKER_CONFIG names the directory, and no file is no login", async () => {
  const env = environment({ auths: { a: { username: "u", password: "p" } } });
  const moved = { DOCKER_CONFIG: join(env["HOME"] ?? "", ".docker") };
  expect(await loginCredentials(moved).find("a", "b")).toMatchObject({ username: "u" });
  expect(await loginCredentials(environment()).find("a", "b")).toBeUndefined();
});

test("a file that can't be read is named, and its content is not shown", async () => {
  const source = loginCredentials(environment('{"auths": secret'));
  await expect(source.find("a", "b")).rejects.toMatchObject({
    code: "ERR_REGISTRY",
    message: /^cannot read the logins in ".*config\.json"$/,
  });
});

test.each([[[]], [{ auths: [] }], [{ auths: { a: 7 } }], [null], [{ auths: { a: { auth: 7 } } }]])(
  "the content %j holds no login",
  async (content) => {
    expect(await loginCredentials(environment(content)).find("a", "b")).toBeUndefined();
  },
);
