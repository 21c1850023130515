import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { requestHttp1 } from "../../../src/cli/demo/client.ts";
import { labSettings } from "../../../src/cli/demo/lab-settings.ts";
import { type Child, startChild, waitUntil } from "../../../src/cli/demo/process.ts";
import type { EnvoySettings } from "../../../src/generate/envoy/settings.ts";
import { socketOf, startAuthorizer } from "./authorizer.ts";
import { type Certificates, SERVER_ID } from "./certificates.ts";
import { envoyConfig } from "./envoy-config.ts";
import type { Station } from "./parts.ts";
import { type Question, questionAt, STRANGER } from "./question.ts";
import { refusesStrangers } from "./ways.ts";

/** One way at one size, running: an Envoy of its own and the process that it asks. */
export interface Cell extends Station {
  readonly port: number;
  readonly question: Question;
  readonly envoy: Child;
  readonly authorizer: Child | null;
  /** Of Envoy's administration. */
  readonly adminSocket: string;
}

/** What cells have in common. */
export interface CellParts {
  readonly envoy: string;
  readonly grpcGo: string;
  readonly directory: string;
  readonly certificates: Certificates;
  /** Port of the server that requests are forwarded to; null for Envoys that answer by themselves. */
  readonly upstream: number | null;
  /** Directory of the policies of a size. */
  policies(rules: number): string;
  /** A loopback port that nobody else is given. */
  nextPort(): number;
  /** Told of each process, so that it is stopped whatever happens. */
  started(child: Child): void;
}

const READY_MS = 60_000;
const FILTER = resolve(import.meta.dirname, "../../../build/sallyport-filter.wasm");

/** Settings of an Envoy of this bench. Nothing is dialled outside. */
function cellSettings(
  directory: string,
  ports: { readonly listener: number; readonly authorizer: number },
  { gateway, ca }: Pick<Certificates, "gateway" | "ca">,
): EnvoySettings {
  return labSettings({
    directory,
    portOf: () => ports.listener,
    authorizer: {
      address: "127.0.0.1",
      port: ports.authorizer,
      // Long enough for an authorizer that all cores are busy with: a request that is refused in time would flatter.
      timeoutMs: 5_000,
      failOpen: false,
      spiffeId: SERVER_ID,
    },
    seat: { filter: { kind: "file", path: FILTER }, publicKeys: [], standIn: null },
    certificate: gateway.certificate,
    key: gateway.key,
    trustBundle: () => ca,
    laxRoots: null,
    outsideRoots: ca,
    dnsServer: null,
    standIn: null,
    requestsPerSecond: 1_000_000,
  });
}

/** Starts a cell and waits until it allows what its question asks and, where it decides, refuses a stranger. */
export async function startCell({ way, rules }: Station, parts: CellParts): Promise<Cell> {
  const directory = join(parts.directory, `${way.id}-${rules}`);
  await mkdir(directory);
  const { certificates } = parts;
  const ports = { listener: parts.nextPort(), authorizer: parts.nextPort() };
  const policies = parts.policies(rules);
  const authorizer = startAuthorizer({
    way,
    directory,
    policies,
    port: ports.authorizer,
    certificates,
    grpcGo: parts.grpcGo,
  });
  if (authorizer !== null) parts.started(authorizer);
  const config = join(directory, "envoy.json");
  const settings = cellSettings(directory, ports, certificates);
  const question = questionAt(rules);
  const outside = parts.upstream === null ? null : { host: question.host, port: parts.upstream };
  await writeFile(config, JSON.stringify(envoyConfig(settings, way, rules, socketOf(directory), outside)));
  const flags = ["--disable-hot-restart", "--concurrency", String(way.workers), "--log-level", "error"];
  const envoy = startChild(parts.envoy, ["-c", config, ...flags]);
  parts.started(envoy);
  const statusFor = async (who: string): Promise<number | null> => {
    const { caller } = await certificates.workload(who);
    return (await requestHttp1(caller, ports.listener, `GET ${question.path}`, [`host: ${question.host}`])).status;
  };
  const what = `${way.title} with ${rules} rules`;
  await waitUntil(`${what} allowing`, async () => (await statusFor(question.principal)) === 200, READY_MS, envoy);
  const refused = (await statusFor(STRANGER)) === 403;
  if (refused !== refusesStrangers(way)) throw new Error(`${what}: a stranger is ${refused ? "" : "not "}refused`);
  return { way, rules, port: ports.listener, question, envoy, authorizer, adminSocket: settings.adminSocket };
}
