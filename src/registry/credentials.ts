import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { TsimgError } from "../sys/error.ts";

export type Credentials =
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  /** Exchanged for an access token at the registry's token server. */
  | { readonly kind: "identity-token"; readonly token: string }
  /** Sent as it is. */
  | { readonly kind: "registry-token"; readonly token: string };

export interface CredentialSource {
  find(registry: string, repository: string): Promise<Credentials | undefined>;
}

export const NO_CREDENTIALS: CredentialSource = { find: async () => undefined };

const MAX_FILE_SIZE = 1024 * 1024;

/**
 * What `docker login` and `podman login` left behind: the `auths` of docker's `config.json`
 * (in `DOCKER_CONFIG`, else `~/.docker`), then of `$XDG_RUNTIME_DIR/containers/auth.json`. Each file
 * is read at most once, when credentials are first asked for.
 */
export function loginCredentials(env: NodeJS.ProcessEnv): CredentialSource {
  const runtimeDirectory = env["XDG_RUNTIME_DIR"];
  const paths = [
    join(env["DOCKER_CONFIG"] || join(env["HOME"] || homedir(), ".docker"), "config.json"),
    ...(runtimeDirectory ? [join(runtimeDirectory, "containers", "auth.json")] : []),
  ];
  let files: Promise<readonly Readonly<Record<string, unknown>>[]> | undefined;
  return {
    async find(registry, repository) {
      files ??= Promise.all(paths.map(readLogins));
      for (const logins of await files) {
        const found = findLogin(logins, registry, repository);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

async function readLogins(path: string): Promise<Readonly<Record<string, unknown>>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return {};
    throw unreadable(path, cause);
  }
  try {
    if (text.length > MAX_FILE_SIZE) throw new Error("the file is too large");
    return record(record(JSON.parse(text))["auths"]);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): TsimgError {
  return new TsimgError("ERR_REGISTRY", `cannot read the logins in "${path}"`, {
    cause,
    hint: "mend or remove the file, or point DOCKER_CONFIG at another directory",
  });
}

/**
 * The entry with the longest name that fits: podman's files may hold `host/namespace`,
 * docker's hold hosts, once with a scheme and a path (`https://index.docker.io/v1/`).
 */
function findLogin(
  logins: Readonly<Record<string, unknown>>,
  registry: string,
  repository: string,
): Credentials | undefined {
  const hosts = registry === "docker.io" ? ["docker.io", "index.docker.io"] : [registry];
  const parts = repository.split("/");
  for (let depth = parts.length; depth >= 0; depth -= 1) {
    const names = hosts.map((host) => [host, ...parts.slice(0, depth)].join("/"));
    for (const [key, value] of Object.entries(logins)) {
      if (!names.includes(key) && !(depth === 0 && hosts.includes(hostOfKey(key)))) continue;
      const credentials = parseLogin(record(value));
      if (credentials !== undefined) return credentials;
    }
  }
  return undefined;
}

/** The host of an old-style key; a key with a path and no scheme is podman's and has none. */
function hostOfKey(key: string): string {
  const match = /^(?:https?:\/\/([^/]+)(?:\/.*)?|([^/]+)\/?(?:v[12]\/?)?)$/.exec(key);
  return match?.[1] ?? match?.[2] ?? "";
}

function parseLogin(login: Readonly<Record<string, unknown>>): Credentials | undefined {
  const text = (key: string): string | undefined => {
    const value = login[key];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const registryToken = text("registrytoken");
  if (registryToken !== undefined) return { kind: "registry-token", token: registryToken };
  const identityToken = text("identitytoken");
  if (identityToken !== undefined) return { kind: "identity-token", token: identityToken };
  // docker ends what it encodes with NUL characters now and then.
  const auth = Buffer.from(text("auth") ?? "", "base64")
    .toString("utf8")
    .replace(/\0+$/, "");
  const colon = auth.indexOf(":");
  const username = colon > 0 ? auth.slice(0, colon) : text("username");
  const password = colon > 0 ? auth.slice(colon + 1) : text("password");
  if (username === undefined || password === undefined) return undefined;
  // The name that docker stores when the password is an identity token.
  if (username === "<token>") return { kind: "identity-token", token: password };
  return { kind: "basic", username, password };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
