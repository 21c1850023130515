import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join, resolve } from "node:path";
import { stringify } from "yaml";
import { envoyBootstrap } from "../../generate/envoy/bootstrap.ts";
import type { GatewaySeat } from "../../generate/envoy/settings.ts";
import { type ListenerKind, listenerName, listenersOf } from "../../generate/listeners.ts";
import { createCanonicaliser } from "../../pdp/canonicaliser.ts";
import { readEngineModule } from "../../pdp/engine-module.ts";
import { formatDiagnostic } from "../../policy/format-diagnostic.ts";
import { loadPolicySet } from "../../policy/load.ts";
import type { PolicySet } from "../../policy/model.ts";
import { readPolicyDirectory } from "../../server/read-policies.ts";
import type { Caller } from "./client.ts";
import { defaultSearch, findEnvoy } from "./envoy-binary.ts";
import {
  type CertificateOptions,
  GATEWAY_ID,
  type LabAuthorities,
  SERVER_ID,
  writeCertificates,
} from "./lab-certificates.ts";
import { labSettings } from "./lab-settings.ts";
import { type NameServer, startNameServer } from "./name-server.ts";
import { type Authority, createAuthority, type San, uri } from "./pki.ts";
import { freePorts } from "./ports.ts";
import { accepts, type Child, startChild, waitUntil } from "./process.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

/** How a lab is set up. */
export interface LabOptions extends CertificateOptions {
  /** Copied, so that the lab can edit it. */
  readonly policies: string;
  readonly progress?: (step: string) => void;
  /** How long Envoy waits for a decision. */
  readonly timeoutMs?: number;
  /** Lets callers without a SPIFFE ID, or without any certificate, get as far as the decision. Never for a real gateway. */
  readonly laxCallers?: boolean;
  /** Ends the start half-way: what was started is stopped and the lab rejects. */
  readonly signal?: AbortSignal;
  /** Where HTTP requests are decided: by the server unless told otherwise. */
  readonly seat?: "server" | "gateway";
  /** Further flags of `sallyport serve`. */
  readonly serve?: Readonly<Record<string, string>>;
  /** Starts Envoy so that another can take over from it, by `restart`. */
  readonly hotRestart?: boolean;
  /** What Envoy and the server are started with in place of this process's environment. */
  readonly env?: { readonly envoy?: NodeJS.ProcessEnv; readonly server?: NodeJS.ProcessEnv };
  /** Changes Envoy's configuration before it starts. */
  readonly edit?: (bootstrap: object) => object;
  /** Stands between the gateway's filter and the server's policies; told the server's port, it gives its own. */
  readonly between?: (adminPort: number) => Promise<number>;
  /** Requests a second and workload that the gateway lets come as far as a decision. */
  readonly requestsPerSecond?: number;
}

/** A record of the audit file, as far as the lab reads it. */
export interface AuditRecord {
  readonly id: string;
  readonly effect: string;
  readonly reason: string;
  readonly rules: readonly string[];
  readonly cacheHit: boolean;
  readonly shadow: string;
  readonly target: { readonly host: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** A throw-away mesh on loopback: authorities, an outside, `sallyport serve` and a real Envoy. */
export interface Lab {
  readonly directory: string;
  readonly policies: string;
  readonly auditFile: string;
  readonly adminPort: number;
  readonly upstream: Upstream;
  readonly names: NameServer;
  readonly authorities: LabAuthorities;
  /** The gateway's port for what applications send to a dialled one; 0 if it has none. */
  port(kind: ListenerKind, dialled: number): number;
  /** A caller with these names, from the mesh's authority unless another is given; cached by name. */
  caller(sans: readonly San[], authority?: Authority): Promise<Caller>;
  /** A workload `namespace/serviceaccount` of the mesh. */
  workload(name: string): Promise<Caller>;
  records(): Promise<readonly AuditRecord[]>;
  server: Child;
  /** Starts it (again) and waits until it has policies, or only until it answers. */
  startServer(until?: "ready" | "alive"): Promise<void>;
  readonly envoy: Child;
  /** Starts another Envoy that takes over from the one before, which ends by itself. */
  restart(): Promise<Child>;
  close(): Promise<void>;
}

/** The filter beside the engine, with policies from the server or from who stands between. */
function gatewaySeat(publicKeys: readonly string[], between: number | null): GatewaySeat {
  const path = resolve(import.meta.dirname, "../../../build/sallyport-filter.wasm");
  const standIn = between === null ? null : { address: "127.0.0.1", port: between };
  return { filter: { kind: "file", path }, publicKeys, standIn };
}

const READY_MS = 20_000;

/** Starts everything; on failure stops what was started. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const { policies, timeoutMs = 250, laxCallers = false, signal = new AbortController().signal } = options;
  const progress = (step: string): void => {
    signal.throwIfAborted();
    options.progress?.(step);
  };
  const unlessAborted = (ready: () => Promise<boolean>) => async (): Promise<boolean> => {
    signal.throwIfAborted();
    return ready();
  };
  progress("finding Envoy");
  const binary = await findEnvoy(defaultSearch(), signal);
  const directory = await mkdtemp(join(tmpdir(), "sallyport-lab-"));
  const children: Child[] = [];
  let upstream: Upstream | null = null;
  let names: NameServer | null = null;
  const close = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop()));
    await upstream?.close();
    await names?.close();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const copy = join(directory, "policies");
    await cp(policies, copy, { recursive: true, verbatimSymlinks: true });
    const set = await requireSet(copy);
    progress("making a mesh CA and certificates");
    const authorities = {
      mesh: await createAuthority("CN=mesh"),
      partner: await createAuthority("CN=partner"),
      rogue: await createAuthority("CN=rogue"),
      outside: await createAuthority("CN=outside"),
    };
    const files = await writeCertificates(directory, set, authorities, options);
    upstream = await startUpstream(files.outsideLeaf);
    names = await startNameServer("127.0.0.1");
    const listeners = [...listenersOf(set.services).values()];
    const [pdpPort = 0, adminPort = 0, ...ports] = await freePorts(listeners.length + 2);
    const portOf = new Map(listeners.map((listener, i) => [listenerName(listener), ports[i] ?? 0]));

    const auditFile = join(directory, "audit.jsonl");
    const startServer: Lab["startServer"] = async (until = "ready") => {
      progress("starting sallyport serve");
      const main = resolve(import.meta.dirname, `../main${extname(import.meta.filename)}`);
      const flags = {
        policies: copy,
        listen: `127.0.0.1:${pdpPort}`,
        admin: `127.0.0.1:${adminPort}`,
        "audit-to": auditFile,
        "tls-certificate": files.server.certificate,
        "tls-key": files.server.key,
        "tls-client-ca": files.meshCa,
        "allowed-callers": GATEWAY_ID,
        "drain-wait": "0ms",
        "log-level": "warn",
        ...options.serve,
      };
      const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
      const child = startChild(process.execPath, [main, "serve", ...args], options.env?.server ?? ownEnvironment());
      children.push(child);
      lab.server = child;
      await waitUntil(
        "sallyport serve getting ready",
        unlessAborted(() => answers(adminPort, until === "ready" ? "readyz" : "livez")),
        READY_MS,
        child,
      );
    };

    const config = join(directory, "envoy.yaml");
    const settings = labSettings({
      directory,
      portOf: (listener) => portOf.get(listenerName(listener)) ?? 0,
      authorizer: { address: "127.0.0.1", port: pdpPort, timeoutMs, failOpen: false, spiffeId: SERVER_ID },
      seat:
        options.seat === "gateway"
          ? gatewaySeat(set.gateway.publicKeys, (await options.between?.(adminPort)) ?? null)
          : null,
      ...files.gateway,
      trustBundle: (domain) => files.trustBundles[domain] ?? files.meshCa,
      laxRoots: laxCallers ? files.meshCa : null,
      outsideRoots: files.outsideCa,
      dnsServer: { address: "127.0.0.1", port: names.port },
      standIn: {
        address: "127.0.0.1",
        tlsPort: upstream.tlsPort,
        clearPort: upstream.clearPort,
        clearHttp2Port: upstream.clearHttp2Port,
        plainPort: upstream.plainPort,
      },
      requestsPerSecond: options.requestsPerSecond ?? 10_000,
    });
    const { edit = (bootstrap: object) => bootstrap } = options;
    await writeFile(config, stringify(edit(envoyBootstrap(set, settings)), { aliasDuplicateObjects: false }));
    const callers = new Map<string, Promise<Caller>>();
    const caller: Lab["caller"] = (sans, authority = authorities.mesh) => {
      const key = JSON.stringify([sans, authority.cert]);
      const known = callers.get(key) ?? authority.issue(sans).then((leaf) => ({ leaf, ca: authorities.mesh.cert }));
      callers.set(key, known);
      return known;
    };
    const lab: Lab = {
      directory,
      policies: copy,
      auditFile,
      adminPort,
      upstream,
      names,
      authorities,
      port: (kind, dialled) => portOf.get(listenerName({ kind, dialled })) ?? 0,
      caller,
      workload: (name) => caller([uri(`spiffe://cluster.local/ns/${name.replace("/", "/sa/")}`)]),
      records: () => readRecords(auditFile),
      server: startChild("true", []),
      startServer,
      envoy: startChild("true", []),
      restart: () => Promise.reject(new Error("the lab was not started with `hotRestart`")),
      close,
    };
    await startServer();
    progress("starting Envoy");
    const startEnvoy = (restarting: readonly string[]): Child => {
      const flags = ["--concurrency", "2", "--file-flush-interval-msec", "100", "--log-level", "warn"];
      const child = startChild(binary, ["-c", config, ...restarting, ...flags], options.env?.envoy);
      children.push(child);
      return child;
    };
    const { hotRestart = false } = options;
    const envoy = startEnvoy(hotRestart ? takingOver(0) : ["--disable-hot-restart"]);
    await waitUntil(
      "Envoy listening",
      unlessAborted(() => accepts(ports[0] ?? 0)),
      READY_MS,
      envoy,
    );
    signal.throwIfAborted();
    if (!hotRestart) return Object.assign(lab, { envoy });
    let epoch = 0;
    return Object.assign(lab, {
      envoy,
      async restart() {
        epoch += 1;
        return startEnvoy(takingOver(epoch));
      },
    });
  } catch (error) {
    await close();
    throw error;
  }
}

/** Flags of the so-manieth Envoy of this process, counted from 0: the one before ends three seconds after this one is there. */
function takingOver(epoch: number): readonly string[] {
  const base = String(process.pid);
  return ["--base-id", base, "--restart-epoch", `${epoch}`, "--drain-time-s", "1", "--parent-shutdown-time-s", "3"];
}

/** The environment without settings of a server that somebody may have exported. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("SALLYPORT_")));
}

async function requireSet(directory: string): Promise<PolicySet> {
  const files = await readPolicyDirectory(directory);
  const { set, diagnostics } = loadPolicySet(files, createCanonicaliser(readEngineModule()));
  if (set === null) throw new Error(diagnostics.map((each) => formatDiagnostic(each, false)).join("\n"));
  return set;
}

async function answers(adminPort: number, page: string): Promise<boolean> {
  return fetch(`http://127.0.0.1:${adminPort}/${page}`, { signal: AbortSignal.timeout(1000) }).then(
    (response) => response.ok,
    () => false,
  );
}

async function readRecords(file: string): Promise<readonly AuditRecord[]> {
  if (!existsSync(file)) return [];
  // What follows the last line end is being written.
  const lines = (await readFile(file, "utf8")).split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as AuditRecord).filter((record) => record.effect !== undefined);
}
