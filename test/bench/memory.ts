/**
 * `npm run bench:memory`: what the server's own heap holds while millions of different workloads ask for different hosts, and writes docs/benchmarks.md. Everything from the bytes of a Check to the bytes of its
 * answer and its record is the server's, in this process; gRPC and the sockets are not in it. `MEMORY_MILLIONS` says how many millions (3).
 */
import { readFile, writeFile } from "node:fs/promises";
import { setImmediate as turn } from "node:timers/promises";
import type { MethodDefinition } from "@grpc/grpc-js";
import { openTrail } from "../../src/audit/trail.ts";
import { compileBundle } from "../../src/bundle/compile.ts";
import { createEngine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { createPdp } from "../../src/pdp/pdp.ts";
import { createAdmission } from "../../src/server/admission.ts";
import { createCheckHandler } from "../../src/server/check-service.ts";
import { loadProtos } from "../../src/server/load-protos.ts";
import { createMetrics } from "../../src/server/metrics.ts";
import { trailSinks } from "../../src/server/open-sinks.ts";
import { createRecordedHeaders } from "../../src/server/recorded-headers.ts";
import { createRenderer, sizeOfRendered } from "../../src/server/rendered.ts";
import type { CheckRequestMessage } from "../../src/server/wire.ts";
import { machine } from "./machine.ts";
import { table, withSection } from "./page.ts";
import { hostOf, shapeOf, syntheticSet, workloadOf } from "./synthetic-set.ts";

const MILLIONS = Number(process.env.MEMORY_MILLIONS ?? 3);
const MILLION = 1_000_000;
/** Different workloads, and as many different hosts. */
const DISTINCT = MILLION;
const RULES = 10_000;
const MIB = 2 ** 20;

const { gc } = globalThis;
if (gc === undefined) throw new Error("start it with npm run bench:memory: it needs --expose-gc");
const contract = loadProtos();
const serialize = (contract.authorizationClient.Check as MethodDefinition<CheckRequestMessage, unknown>)
  .requestSerialize;
const file = { kind: "file", path: "/dev/null", maxBytes: 2 ** 40, maxAgeMs: null, maxFiles: 1, keepMs: null } as const;
const trail = await openTrail({
  mode: "batch",
  require: "all",
  sinks: trailSinks([{ ...file, packing: null, key: null }], Date.now),
  now: Date.now,
  changed() {},
  warn() {},
});
const pdp = createPdp({
  render: (...args: Parameters<typeof renderer.decision>) => renderer.decision(...args),
  sizeOf: sizeOfRendered,
  maxCacheBytes: 64 * MIB,
});
const metrics = createMetrics({
  cache: pdp,
  audit: trail,
  loaded: () => null,
  staleNamespaces: () => 0,
  policyErrors: () => new Map(),
  certificateEndMs: () => null,
  now: Date.now,
});
const renderer = createRenderer({
  encode: contract.encodeCheckResponse,
  counter: (...sort) => metrics.counter("server", ...sort),
});
const shape = shapeOf(RULES);
pdp.install(createEngine(readEngineModule(), compileBundle(syntheticSet(shape))));
const check = createCheckHandler({
  pdp,
  renderer,
  trail,
  recordedHeaders: createRecordedHeaders([], []),
  admission: createAdmission({ maxWaitMs: 60_000, maxInFlight: 1_024 }),
  now: Date.now,
  observe: metrics.observe,
  failed(error) {
    throw error;
  },
  trace: null,
});

/** The n-th Check: workloads that rules name and hosts that are registered lie among ten times and more that are not. */
function checkAt(n: number): Buffer {
  const who = Math.imul(n, 2654435761) >>> 0;
  const { namespace, serviceAccount } = workloadOf(who % DISTINCT);
  const host = hostOf(Math.floor(n / 7) % DISTINCT);
  const headers = [
    [":authority", host],
    [":method", "GET"],
    [":path", `/v${n % 50}/charges?id=${n}`],
  ].map(([key = "", value = ""]) => ({ key, raw_value: Buffer.from(value) }));
  return serialize({
    attributes: {
      source: { principal: `spiffe://cluster.local/ns/${namespace}/sa/${serviceAccount}` },
      destination: { principal: "spiffe://cluster.local/ns/istio-egress/sa/egress" },
      request: {
        http: { id: `${n}`, method: "GET", path: `/v${n % 50}/charges?id=${n}`, host, header_map: { headers } },
      },
      context_extensions: { "sallyport.port": "80" },
    },
  } as CheckRequestMessage);
}

interface Sample {
  readonly checks: number;
  readonly heap: number;
  readonly external: number;
  readonly rss: number;
  readonly cacheBytes: number;
  readonly series: number;
}

async function sample(checks: number): Promise<Sample> {
  // What is still on its way to the trail gets there first.
  for (let n = 0; n < 100; n += 1) await turn();
  gc?.();
  gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  const text = await metrics.registry.metrics();
  const series = text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
  return { checks, heap: heapUsed, external, rss, cacheBytes: pdp.cacheBytes, series };
}

const metadata = { get: () => [] };
let answered = 0;
const samples: Sample[] = [];
for (let n = 0; n < MILLIONS * MILLION; ) {
  for (let batch = 0; batch < 200; batch += 1, n += 1) {
    check({ request: checkAt(n), metadata }, null, (error) => {
      if (error === null) answered += 1;
    });
  }
  await turn();
  if (n % MILLION < 200 && n >= MILLION / 2) {
    samples.push(await sample(n));
    process.stderr.write(`${n.toLocaleString("en")}: heap ${((samples.at(-1)?.heap ?? 0) / MIB).toFixed(1)} MiB\n`);
  }
}
const answeredAtTheEnd = answered;
await trail.close();
metrics.close();

const [first, last] = [samples[0], samples.at(-1)];
if (first === undefined || last === undefined) throw new Error("ask for at least two millions");
const growth = (last.heap - first.heap) / MIB / ((last.checks - first.checks) / MILLION || 1);
const mib = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`;
const rows = samples
  .filter((_, index) => index % Math.ceil(samples.length / 10) === 0 || index === samples.length - 1)
  .map((each) => [
    each.checks.toLocaleString("en"),
    ...[each.heap, each.external, each.rss, each.cacheBytes].map(mib),
    `${each.series}`,
  ]);
const section = `## The server's memory
Written by \`npm run bench:memory\` on ${machine()}: ${answeredAtTheEnd.toLocaleString("en")} Checks, in one process from the bytes of a Check to those of its answer and its record (without gRPC), over ${DISTINCT.toLocaleString("en")} workloads and as many hosts, ${RULES.toLocaleString("en")} rules,
a cache of 64 MiB, audit to \`/dev/null\`. After a full collection each time; *external* is the engine's memory and buffers. \`MEMORY_MILLIONS=50\` goes on.

${table(["Checks", "heap", "external", "RSS", "cache", "series of metrics"], rows)}

The heap grew by ${growth.toFixed(2)} MiB a million Checks, from the first row to the last. Goal: at most 1 MiB.
`;
const page = new URL("../../docs/benchmarks.md", import.meta.url);
await writeFile(page, withSection(await readFile(page, "utf8"), section));
