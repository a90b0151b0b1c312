import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** What a page did while it was loaded. */
export interface Page {
  /** Errors, warnings and messages on its console. */
  readonly complaints: readonly string[];
  /** Addresses of all that it asked for, its own first. */
  readonly requests: readonly string[];
  evaluate<T>(expression: string): Promise<T>;
}

export interface PageOptions {
  readonly width: number;
  /** `light` or `dark`: what the user prefers. */
  readonly scheme: string;
}

type Message = Readonly<Record<string, unknown>>;

/** Chromium without a window, spoken to by its own protocol. */
export class Browser implements AsyncDisposable {
  private readonly process: ChildProcess;
  private readonly socket: WebSocket;
  private readonly answers = new Map<number, (message: Message) => void>();
  private readonly listeners = new Set<(message: Message) => void>();
  private calls = 0;

  private constructor(process: ChildProcess, socket: WebSocket) {
    this.process = process;
    this.socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(String(data)) as Message;
      const answer = this.answers.get(Number(message["id"]));
      if (answer === undefined) for (const listener of this.listeners) listener(message);
      else answer(message);
    });
  }

  /** @param directory for its profile */
  static async start(directory: string): Promise<Browser> {
    const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"];
    const profile = `--user-data-dir=${directory}/profile`;
    // Its helpers form its process group, which ends as a whole.
    const child = spawn("chromium", [...flags, profile, "about:blank"], {
      stdio: ["ignore", "ignore", "pipe"],
      detached: true,
    });
    let said = "";
    const address = await new Promise<string>((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (status) => reject(new Error(`chromium ended (${status}): ${said}`)));
      child.stderr.on("data", (chunk) => {
        said += chunk;
        const found = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
        if (found !== undefined) resolve(found);
      });
    });
    const socket = new WebSocket(address);
    await once(socket, "open");
    return new Browser(child, socket);
  }

  /** Loads a page and waits until it is drawn. */
  async open(url: string, { width, scheme }: PageOptions): Promise<Page> {
    const { targetId } = await this.call("Target.createTarget", { url: "about:blank" });
    const attached = await this.call("Target.attachToTarget", { targetId, flatten: true });
    const session = String(attached["sessionId"]);
    const complaints: string[] = [];
    const requests: string[] = [];
    const loaded = new Promise<void>((resolve) => {
      this.listeners.add((message) => {
        if (message["sessionId"] !== session) return;
        const text = JSON.stringify(message["params"]);
        const { request } = (message["params"] ?? {}) as { request?: { url: string } };
        if (message["method"] === "Network.requestWillBeSent") requests.push(request?.url ?? text);
        if (/exceptionThrown|consoleAPICalled|entryAdded/.test(String(message["method"])))
          complaints.push(text);
        if (message["method"] === "Page.loadEventFired") resolve();
      });
    });
    for (const domain of ["Page", "Runtime", "Network", "Log"])
      await this.call(`${domain}.enable`, {}, session);
    const metrics = { width, height: 900, deviceScaleFactor: 1, mobile: width < 600 };
    await this.call("Emulation.setDeviceMetricsOverride", metrics, session);
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.call("Emulation.setEmulatedMedia", { features }, session);
    await this.call("Page.navigate", { url }, session);
    await loaded;
    return {
      complaints,
      requests,
      evaluate: async <T>(expression: string) => {
        const params = { expression, returnByValue: true };
        const { result } = await this.call("Runtime.evaluate", params, session);
        return (result as { value: T }).value;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    const ended = once(this.process, "exit");
    if (this.process.pid !== undefined) process.kill(-this.process.pid, "SIGKILL");
    await ended;
  }

  private call(method: string, params: object, sessionId?: string): Promise<Message> {
    this.calls += 1;
    const id = this.calls;
    return new Promise((resolve, reject) => {
      this.answers.set(id, (message) => {
        this.answers.delete(id);
        if (message["error"] === undefined) resolve(message["result"] as Message);
        else reject(new Error(`${method}: ${JSON.stringify(message["error"])}`));
      });
      this.socket.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }));
    });
  }
}
