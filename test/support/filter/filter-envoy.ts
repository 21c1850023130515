import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { LRUCache } from "lru-cache";
import { defaultSearch, findEnvoy } from "../../../src/cli/demo/envoy-binary.ts";
import { createAuthority, type Leaf, uri } from "../../../src/cli/demo/pki.ts";
import { freePorts } from "../../../src/cli/demo/ports.ts";
import { accepts, startChild, waitUntil } from "../../../src/cli/demo/process.ts";
import type { CheckInput, Decision } from "../../../src/pdp/decision.ts";
import type { LoadedPolicies } from "../../../src/server/policy-state.ts";
import { serveBundles } from "./bundles.ts";
import { PAIR, startCapture } from "./capture.ts";
import { filterConfig, TOLD } from "./envoy-config.ts";
import { createRawClient, type RawClient } from "./h1.ts";

/** What the filter told of a request that it decided (src/filter/report.ts), or that it asked the server. */
export interface Told {
  readonly asked?: boolean;
  readonly revision: string;
  readonly effect: string;
  readonly shadow: string;
  readonly reason: string;
  readonly rules: readonly string[];
  readonly shadowRules: readonly string[];
  readonly subject: string;
  readonly host: string;
  readonly port: number | string;
}

/** A request, and what was made of it. */
export interface Exchange {
  /** As the server seat reads what Envoy sends it about the same bytes. */
  readonly input: CheckInput;
  readonly told: Told;
  /** What the server answered when the filter asked; null when it decided by itself. */
  readonly served: Decision | null;
  readonly status: number;
}

/** The filter in a real Envoy, and beside it ext_authz, which shows what Envoy makes of a request. */
export interface FilterEnvoy {
  /** Puts policies in force; resolves when the filter decides by them. */
  install(revision: string, bundle: Uint8Array, headers: readonly string[]): Promise<void>;
  /** The policies in force are other ones at each poll, in turn, until something is installed. Returns how often the filter has taken some. */
  rotate(all: readonly { readonly revision: string; readonly bundle: Uint8Array }[]): () => number;
  /** What Envoy makes of such a request, as the server seat reads it; null when it lets no such request by. */
  prepare(input: CheckInput): Promise<CheckInput | null>;
  /** What the server answers; without it, it allows everything. */
  answerBy(decide: (input: CheckInput) => Decision): void;
  /** Sends it to the filter; null also when the server was asked. */
  decide(input: CheckInput): Promise<Told | null>;
  /** Null when Envoy itself refuses such a request or certificate, or no listener says such a port. */
  ask(input: CheckInput): Promise<Exchange | null>;
  output(): string;
  close(): Promise<void>;
}

/** Texts of ports that there are listeners for. */
const PORT_TEXTS = [
  "80",
  "443",
  "8080",
  "",
  "1",
  "0",
  "080",
  "65535",
  "65536",
  "99999",
  "x",
  "8e1",
  "+80",
  "8443",
  "5432",
  "9090",
  "http",
];
/** How often a request is sent again that the filter refused because this process, on a busy machine, did not answer in time. */
const UNANSWERED = 10;
/** What gRPC's answers of 200 mean: PERMISSION_DENIED, UNAVAILABLE. */
const GRPC_STATUS: Readonly<Record<string, number>> = { 7: 403, 14: 503 };
const FILTER = resolve(import.meta.dirname, "../../../build/sallyport-filter.wasm");

/** Starts it, with an environment of its own where that is wanted. */
export async function startFilterEnvoy(env: NodeJS.ProcessEnv = process.env): Promise<FilterEnvoy> {
  const binary = await findEnvoy(defaultSearch());
  const directory = mkdtempSync(join(tmpdir(), "sallyport-filter-"));
  // Long before and after: the clock of an Envoy may be a false one.
  const mesh = await createAuthority("CN=test mesh", 400);
  const server = await mesh.issue([uri("spiffe://cluster.local/ns/istio-egress/sa/egress")]);
  const put = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  let loaded: LoadedPolicies | null = null;
  let turning: (() => LoadedPolicies) | null = null;
  let taken = 0;
  const bundles = await serveBundles(
    () => (turning === null ? loaded : turning()),
    () => {
      taken += 1;
    },
  );
  const capture = await startCapture();
  const free = await freePorts(PORT_TEXTS.length * 2);
  const ports = PORT_TEXTS.map((text, n) => ({ text, decided: free[2 * n] ?? 0, asked: free[2 * n + 1] ?? 0 }));
  const config = filterConfig({
    filter: FILTER,
    bundlePort: (bundles.address() as AddressInfo).port,
    checkPort: capture.port,
    ports,
    certificate: put("server.crt", server.cert),
    key: put("server.key", server.key),
    ca: put("ca.crt", mesh.cert),
    adminSocket: join(directory, "admin.sock"),
  });
  const file = put("envoy.json", JSON.stringify(config));
  const args = ["-c", file, "--disable-hot-restart", "--concurrency", "1", "--log-level", "warn"];
  const envoy = startChild(binary, args, env);
  const leaves = new Map<string, Promise<Leaf | null>>();
  // Sockets are few, on both sides.
  const clients = new LRUCache<string, Promise<RawClient | null>>({
    max: 100,
    dispose: (client) => void client.then((each) => each?.close()),
  });

  function leafOf(principal: string): Promise<Leaf | null> {
    // Who has no name shows no certificate; not every text can be a URI in one.
    const made = () => (principal === "" ? Promise.resolve(null) : mesh.issue([uri(principal)]).catch(() => null));
    const known = leaves.get(principal) ?? made();
    leaves.set(principal, known);
    return known;
  }
  function clientOf(principal: string, port: number): Promise<RawClient | null> {
    const key = `${port} ${principal}`;
    const known =
      clients.get(key) ??
      leafOf(principal).then((leaf) =>
        leaf === null && principal !== "" ? null : createRawClient(port, leaf, mesh.cert),
      );
    clients.set(key, known);
    return known;
  }

  async function close(): Promise<void> {
    clients.clear();
    await envoy.stop();
    bundles.closeAllConnections();
    bundles.close();
    capture.close();
    rmSync(directory, { recursive: true, force: true });
  }

  try {
    await waitUntil("Envoy listening", () => accepts(ports.at(-1)?.asked ?? 0), 20_000, envoy);
  } catch (error) {
    await close();
    throw error;
  }
  let pair = 0;
  let generation = 0;

  function portFor(input: CheckInput): (typeof ports)[number] | undefined {
    return input.kind === "http" && isSendable(input) ? ports.find(({ text }) => text === input.port) : undefined;
  }

  async function send(
    input: CheckInput,
    port: number,
    extra: string,
  ): Promise<{ told: string; status: number } | null> {
    const client = await clientOf(input.principal, port);
    const answer = (await client?.send(`${headOf(input)}${extra}`)) ?? null;
    if (answer === null) return null;
    const status = GRPC_STATUS[answer.headers.get("grpc-status") ?? ""] ?? answer.status;
    return { told: answer.headers.get(TOLD) ?? "", status };
  }

  async function exchangeOver(port: (typeof ports)[number], input: CheckInput): Promise<Exchange | null> {
    pair += 1;
    const own = `${pair}`;
    const asked = await send(input, port.asked, `\r\n${PAIR}: ${own}`);
    const captured = capture.take(own);
    capture.given(own);
    const decided = await send(input, port.decided, `\r\n${PAIR}: ${own}`);
    if (asked === null || decided === null || captured === null || decided.told === "") return null;
    const told: Told = JSON.parse(decided.told);
    const given = capture.given(own);
    if (told.asked === true && given === null && decided.status !== 503)
      throw new Error("the filter asked, and nobody answered");
    return { input: captured, told, served: told.asked === true ? given : null, status: decided.status };
  }

  return {
    rotate(all) {
      let turn = 0;
      taken = 0;
      turning = () => {
        turn += 1;
        generation += 1;
        const next = all[turn % all.length];
        if (next === undefined) throw new Error("there are no policies");
        return { ...next, sinceMs: 0, generation };
      };
      return () => taken;
    },
    async prepare(input) {
      const port = portFor(input);
      if (port === undefined) return null;
      pair += 1;
      const own = `${pair}`;
      await send(input, port.asked, `\r\n${PAIR}: ${own}`);
      return capture.take(own);
    },
    async decide(input) {
      const port = portFor(input);
      const decided = port === undefined ? null : await send(input, port.decided, "");
      const told: Told | null = decided === null || decided.told === "" ? null : JSON.parse(decided.told);
      return told?.asked === true ? null : told;
    },
    answerBy: capture.answerBy,
    async install(revision, bundle, headers) {
      turning = null;
      generation += 1;
      capture.want(headers);
      loaded = { revision, bundle, sinceMs: 0, generation };
      const probe: CheckInput = {
        kind: "http",
        principal: "spiffe://cluster.local/ns/a/sa/b",
        host: "h",
        port: "80",
        method: "GET",
        path: "/",
        headers: [],
      };
      const isHeld = async () => (await send(probe, ports[0]?.decided ?? 0, ""))?.told.includes(revision) === true;
      await waitUntil("the filter deciding by new policies", isHeld, 10_000, envoy);
    },
    async ask(input) {
      const port = portFor(input);
      if (port === undefined) return null;
      let exchange = await exchangeOver(port, input);
      for (let left = UNANSWERED; exchange?.status === 503 && left > 0; left -= 1)
        exchange = await exchangeOver(port, input);
      return exchange;
    },
    output: () => envoy.output(),
    close,
  };
}

/** Nothing that would end the head of a request, or make it another's. */
function isSendable({ method, path, host, headers }: CheckInput): boolean {
  const texts = [method, path, host, ...headers.flat()];
  return texts.every((text) => !/[\r\n\0]/.test(latin1(text))) && method !== "" && !/\s/.test(method + path);
}

function headOf({ method, path, host, headers }: CheckInput): string {
  const lines = headers
    .filter(([name]) => !name.startsWith(":") && name !== "host" && name !== "content-length")
    .map(([name, value]) => `${name}: ${latin1(value)}`);
  return [`${method} ${latin1(path)} HTTP/1.1`, `host: ${latin1(host)}`, ...lines].join("\r\n");
}

/** The bytes of a text, one a character. */
function latin1(text: string | Uint8Array): string {
  return Buffer.from(text).toString("latin1");
}
