import { compileBundle } from "../../src/bundle/compile.ts";
import type { CheckInput } from "../../src/pdp/decision.ts";
import { createEngine, type Engine } from "../../src/pdp/engine.ts";
import { createEngineInstance } from "../../src/pdp/engine-instance.ts";
import { ALWAYS_READ, createQuestionWriter } from "../../src/pdp/question.ts";
import { hostOf, serviceOf, shapeOf, syntheticSet, workloadOf } from "./synthetic-set.ts";

/** One size's figures. Times in nanoseconds unless named otherwise. */
export interface EngineFigures {
  readonly rules: number;
  readonly compileSeconds: number;
  readonly bytesPerRule: number;
  /** The decision alone: the question is in the engine's buffer, the answer is read by nobody. */
  readonly decideP50: number;
  readonly decideP99: number;
  /** With the question written from strings and the answer read into an object. */
  readonly callP50: number;
}

const NOW = Date.UTC(2026, 10, 23);
/** Distinct questions, visited in an order that no cache foresees. */
const QUESTIONS = 4096;
const BATCH = 64;

/** A question of the set: four of five find a rule, one is refused. */
export function syntheticQuestion(rules: number, index: number): CheckInput {
  const shape = shapeOf(rules);
  const rule = (Math.imul(index, 2654435761) >>> 0) % rules;
  const { namespace, serviceAccount } = workloadOf(rule % shape.workloads);
  const service = index % 5 === 4 ? (index * 31) % shape.services : serviceOf(shape, rule);
  return {
    kind: "http",
    principal: `spiffe://cluster.local/ns/${namespace}/sa/${serviceAccount}`,
    host: hostOf(service),
    port: "80",
    method: "GET",
    path: `/v${rule % 50}/charges?id=${index}`,
    headers: [],
  };
}

function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Nanoseconds a call, in batches of 64 so that the clock's own cost does not show. */
function time(batches: number, run: (index: number) => void): Float64Array {
  const samples = new Float64Array(batches);
  for (let batch = 0; batch < batches; batch++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < BATCH; i++) run(batch * BATCH + i);
    samples[batch] = Number(process.hrtime.bigint() - start) / BATCH;
  }
  return samples.sort();
}

/** Other users of the machine only ever slow a pass down: the quietest of several is nearest to what deciding takes. */
const PASSES = 20;
const SAMPLES = 4_000;

/** Compiles and decides on a synthetic set of `rules` rules. `module` is the engine's. */
export function measureEngine(module: WebAssembly.Module, rules: number): EngineFigures {
  const set = syntheticSet(shapeOf(rules));
  const begin = process.hrtime.bigint();
  const bundle = compileBundle(set);
  const compileSeconds = Number(process.hrtime.bigint() - begin) / 1e9;
  const engine: Engine = createEngine(module, bundle);
  const questions = Array.from({ length: QUESTIONS }, (_, i) => syntheticQuestion(rules, i));
  const ask = (index: number): CheckInput => {
    const question = questions[Math.imul(index, 1103515245) & (QUESTIONS - 1)];
    if (question === undefined) throw new RangeError("no such question");
    return question;
  };
  time(2000, (i) => engine.decide(ask(i), NOW));
  const call = time(4000, (i) => engine.decide(ask(i), NOW));

  const bare = createEngineInstance(module);
  bare.load(bundle);
  const write = createQuestionWriter(bare, new Set(ALWAYS_READ));
  const passes = Array.from({ length: PASSES }, () => new Float64Array(SAMPLES));
  for (let i = -4000; i < PASSES * SAMPLES; i++) {
    // The first call brings the rules into the processor's cache as a first packet would; both are measured as one pair.
    write(ask(Math.abs(i)));
    const start = process.hrtime.bigint();
    for (let n = 0; n < 16; n++) bare.exports.decide(NOW);
    const took = Number(process.hrtime.bigint() - start) / 16;
    const pass = passes[Math.floor(i / SAMPLES)];
    if (pass !== undefined) pass[i % SAMPLES] = took;
  }
  for (const each of passes) each.sort();
  const [samples = new Float64Array()] = passes.toSorted((a, b) => percentile(a, 0.5) - percentile(b, 0.5));
  return {
    rules,
    compileSeconds,
    bytesPerRule: bundle.length / rules,
    decideP50: percentile(samples, 0.5),
    decideP99: percentile(samples, 0.99),
    callP50: percentile(call, 0.5),
  };
}
