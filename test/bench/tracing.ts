import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { openTrail } from "../../src/audit/trail.ts";
import { compileBundle } from "../../src/bundle/compile.ts";
import { createEngine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { createPdp } from "../../src/pdp/pdp.ts";
import { createAdmission } from "../../src/server/admission.ts";
import { createCheckHandler } from "../../src/server/check-service.ts";
import { createCheckTracer, type TraceCheck } from "../../src/server/check-tracer.ts";
import { loadProtos } from "../../src/server/load-protos.ts";
import { createRecordedHeaders } from "../../src/server/recorded-headers.ts";
import { createRenderer, sizeOfRendered } from "../../src/server/rendered.ts";
import { RULES, WARM } from "./checks.ts";
import { median } from "./median.ts";
import { shapeOf, syntheticSet } from "./synthetic-set.ts";

/** What the handler takes for a Check, and against the handler that traces nothing, in the same round. */
export interface TracingCost {
  readonly traces: string;
  readonly microseconds: number;
  readonly ratio: number;
}

const ROUNDS = 15;
const CHECKS = 8_192;
/** Fewer than wait for the collector at most, so that none is lost. */
const AT_ONCE = 512;
/** It takes everything and looks at nothing. */
const COLLECTOR = `require("node:http").createServer((q, a) => q.resume().on("end", () => a.end())).listen(0, "127.0.0.1", function () { console.log(this.address().port) })`;
const parent = (flags: string) => ({ get: () => [`00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-${flags}`] });

/** The handler alone, in this process, without a trail; the spans go to a collector in another. */
export async function measureTracing(): Promise<readonly TracingCost[]> {
  const collector = spawn(process.execPath, ["-e", COLLECTOR], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [port] = await once(collector.stdout, "data");
    const endpoint = `http://127.0.0.1:${Number(port)}/v1/traces`;
    const tracer = createCheckTracer({ endpoint, ratio: 0, version: "0" });
    const modes = [
      { traces: "none", check: await handler(null), metadata: parent("01"), sent: () => 0 },
      { traces: "on, not sampled", check: await handler(tracer.trace), metadata: parent("00"), sent: () => 0 },
      {
        traces: "on, sampled",
        check: await handler(tracer.trace),
        metadata: parent("01"),
        sent: () => tracer.counts.sent,
      },
    ];
    const times: number[][] = modes.map(() => []);
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const [index, { check, metadata, sent }] of modes.entries()) {
        const before = process.cpuUsage();
        for (let n = 0; n < CHECKS; n += AT_ONCE) {
          const wanted = index === 2 ? sent() + AT_ONCE : 0;
          for (let k = 0; k < AT_ONCE; k += 1) {
            const request = WARM[k % WARM.length] ?? Buffer.alloc(0);
            check({ request, metadata }, null, () => {});
          }
          await turn();
          while (sent() < wanted) await sleep(1);
        }
        const { user, system } = process.cpuUsage(before);
        // The first round warms up.
        if (round > 0) times[index]?.push((user + system) / CHECKS);
      }
    }
    if (tracer.counts.failed + tracer.counts.full > 0) throw new Error("spans were lost");
    await tracer.close();
    const [base = []] = times;
    return modes.map(({ traces }, index) => {
      const own = times[index] ?? [];
      return { traces, microseconds: median(own), ratio: median(own.map((each, round) => each / (base[round] ?? 1))) };
    });
  } finally {
    collector.kill();
  }
}

async function handler(trace: TraceCheck | null) {
  const contract = loadProtos();
  const renderer = createRenderer({ encode: contract.encodeCheckResponse, counter: () => () => {} });
  const pdp = createPdp({ render: renderer.decision, sizeOf: sizeOfRendered, maxCacheBytes: 1 << 26 });
  pdp.install(createEngine(readEngineModule(), compileBundle(syntheticSet(shapeOf(RULES)))));
  const trail = await openTrail({ mode: "drop", require: "all", sinks: [], now: Date.now, changed() {}, warn() {} });
  return createCheckHandler({
    pdp,
    renderer,
    trail,
    recordedHeaders: createRecordedHeaders([], []),
    admission: createAdmission({ maxWaitMs: 60_000, maxInFlight: 1_024 }),
    now: Date.now,
    observe() {},
    failed(error) {
      throw error;
    },
    trace,
  });
}
