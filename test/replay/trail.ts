import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { compileBundle } from "../../src/bundle/compile.ts";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import type { HeaderPair } from "../../src/pdp/decision.ts";
import { createEngine, type Engine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { parseRequestText } from "../../src/policy/request-text.ts";
import { openFile } from "../audit/fixtures.ts";
import { temporaryDirectory } from "../cli/policy-dir.ts";
import { REPOSITORY } from "../cli/run-cli.ts";
import { recordedLine } from "./recorded.ts";

const FILES = ["gateway.yaml", "shop/shop.yaml"];

/** An engine with one of the two sets that tests of changes compare. */
function changeEngine(name: "old" | "new"): Engine {
  const module = readEngineModule();
  const files = FILES.map((path) => ({
    path,
    bytes: readFileSync(join(REPOSITORY, "test/cli/change-policies", name, path)),
  }));
  const { set } = loadPolicySet(files, createCanonicaliser(module));
  if (set === null) throw new Error(`the set ${name} is not valid`);
  return createEngine(module, compileBundle(set));
}

/** A request as `check` takes it: who, what, and pairs of headers. */
export type Asked = readonly [account: string, to: string, headers?: readonly HeaderPair[]];

const DAY_MS = 86_400_000;
const START_MS = Date.parse("2026-11-20T08:00:00Z");

/**
 * Writes a trail of one compressed file for each list of requests but the last, which is in the open file, each a day after the
 * one before, with a torn line at its end. The policies `old` decide. Returns its path.
 */
export async function writeTrail(
  days: readonly (readonly Asked[])[],
  { headers = [], change = (line) => line }: { headers?: readonly string[]; change?: (line: string) => string } = {},
): Promise<string> {
  const engine = changeEngine("old");
  const path = join(await temporaryDirectory({}), "audit.jsonl");
  let nowMs = START_MS;
  const sink = await openFile(path, { now: () => nowMs, maxAgeMs: DAY_MS / 2, packing: "zstd" });
  for (const [day, asked] of days.entries()) {
    nowMs = START_MS + day * DAY_MS;
    for (const [account, to, pairs = []] of asked) {
      const request = parseRequestText(to);
      if (!request.ok) throw new Error(request.message);
      const { note: _, ...target } = request.value;
      const principal = `spiffe://cluster.local/ns/shop/sa/${account}`;
      nowMs += 1000;
      sink.write(change(recordedLine(engine, { ...target, principal, headers: pairs }, nowMs, headers)));
    }
    await sink.flush();
  }
  await sink.close();
  const { appendFile } = await import("node:fs/promises");
  await appendFile(path, (await readFile(path, "utf8")).slice(0, 70).trimEnd());
  return path;
}
