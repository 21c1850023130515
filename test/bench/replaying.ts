import { execFile } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createFileSink } from "../../src/audit/file-sink.ts";
import type { Packing } from "../../src/audit/packing.ts";
import { trailFiles } from "../../src/audit/segment-names.ts";
import { compileBundle } from "../../src/bundle/compile.ts";
import { createEngine } from "../../src/pdp/engine.ts";
import type { PolicySet } from "../../src/policy/model.ts";
import { recordedLine } from "../replay/recorded.ts";
import { BUILT_MAIN } from "./built.ts";
import { syntheticQuestion } from "./engine.ts";
import { shapeOf, syntheticSet } from "./synthetic-set.ts";

const run = promisify(execFile);

export interface ReplayingFigures {
  readonly records: number;
  readonly bytes: number;
  readonly rules: number;
  readonly changed: number;
  readonly compressed: boolean;
  readonly seconds: number;
  /** As the command itself counts. */
  readonly widening: number;
  readonly narrowing: number;
  readonly reproduced: number;
}

const RULES = 10_000;
const START_MS = Date.UTC(2026, 10, 1);

/** The set with every hundredth rule made to ask for POST alone, and every hundredth for nothing but its service. */
function changedSet(set: PolicySet): { readonly set: PolicySet; readonly changed: number } {
  let number = 0;
  let changed = 0;
  const policies = set.policies.map((policy) => ({
    ...policy,
    rules: policy.rules.map((rule) => {
      number += 1;
      if (number % 100 > 1) return rule;
      changed += 1;
      const methods = number % 100 === 0 ? ["POST"] : null;
      return { ...rule, to: (rule.to ?? []).map((to) => ({ ...to, ports: [80], methods, paths: null })) };
    }),
  }));
  return { set: { ...set, policies }, changed };
}

/** Writes a trail of a set's decisions and replays it from a cold process, against a set with some rules changed. */
export async function measureReplaying(
  module: WebAssembly.Module,
  records: number,
): Promise<readonly ReplayingFigures[]> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-bench-"));
  try {
    const then = syntheticSet(shapeOf(RULES));
    const { set: now, changed } = changedSet(then);
    const bundles = { was: compileBundle(then), now: compileBundle(now) };
    for (const [name, bundle] of Object.entries(bundles)) await writeFile(join(directory, name), bundle);
    const figures: ReplayingFigures[] = [];
    for (const compressed of [false, true]) {
      const path = join(directory, `${compressed}.jsonl`);
      await writeTrail(path, records, createEngine(module, bundles.was), compressed ? "zstd" : null);
      const sizes = await Promise.all((await trailFiles(path)).map((each) => stat(each.path)));
      const policies = ["--policies", join(directory, "now"), "--was", join(directory, "was")];
      const begun = performance.now();
      const { stdout } = await run(process.execPath, [BUILT_MAIN, "replay", path, ...policies, "--output", "json"], {
        maxBuffer: 1 << 28,
      });
      const seconds = (performance.now() - begun) / 1000;
      const { changed: found, reproduced } = JSON.parse(stdout);
      figures.push({
        ...{ records, rules: RULES, changed, compressed, seconds },
        bytes: sizes.reduce((sum, { size }) => sum + size, 0),
        ...{ widening: found.widening, narrowing: found.narrowing, reproduced: reproduced.exact },
      });
    }
    return figures;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function writeTrail(
  path: string,
  records: number,
  engine: Parameters<typeof recordedLine>[0],
  packing: Packing | null,
): Promise<void> {
  const hooks = { gap: () => "", changed() {}, warn() {} };
  const rotation = { maxBytes: 64 * 1024 * 1024, maxAgeMs: null, maxFiles: 10_000, keepMs: null, packing };
  const sink = await createFileSink({ path, signer: null, now: Date.now, ...rotation }, hooks);
  for (let n = 0; n < records; n += 1) {
    sink.write(recordedLine(engine, syntheticQuestion(RULES, n), START_MS + n * 10));
    if (n % 2_000 === 0) await sink.flush();
  }
  await sink.close();
}
