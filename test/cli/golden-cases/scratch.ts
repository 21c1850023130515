import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compileBundle } from "../../../src/bundle/compile.ts";
import { createCanonicaliser } from "../../../src/pdp/canonicaliser.ts";
import { createEngine, type Engine } from "../../../src/pdp/engine.ts";
import { readEngineModule } from "../../../src/pdp/engine-module.ts";
import { loadPolicySet } from "../../../src/policy/load.ts";
import { readPolicyDirectory } from "../../../src/server/read-policies.ts";
import { openFile } from "../../audit/fixtures.ts";
import { type Sent, trailOf } from "../../learn/trail.ts";
import { REPOSITORY } from "../run-cli.ts";
import type { GoldenCase, GoldenCases } from "./read-cases.ts";

const DAY_MS = 86_400_000;

/** Puts into an empty directory what a case is run with. */
export async function furnish(
  directory: string,
  cases: GoldenCases,
  one: Pick<GoldenCase, "copies" | "texts">,
): Promise<void> {
  for (const [path, source] of Object.entries({ ...cases.copies, ...one.copies })) {
    cpSync(join(REPOSITORY, source), join(directory, path), { recursive: true });
  }
  for (const [path, text] of Object.entries({ ...cases.texts, ...one.texts })) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  if (cases.trail !== undefined) await writeTrail(join(directory, "audit.jsonl"), cases.trail);
}

/** The texts of all files by their paths; what is no text is `(binary)`. */
export function textsIn(directory: string): ReadonlyMap<string, string> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  const files = entries.map((each) => join(each.parentPath, each.name)).sort();
  return new Map(files.map((file) => [file.slice(directory.length + 1), textOf(readFileSync(file))]));
}

function textOf(bytes: Buffer): string {
  return bytes.includes(0) ? "(binary)\n" : bytes.toString("utf8");
}

/** Writes a sealed trail. */
async function writeTrail(path: string, { policies, requests }: NonNullable<GoldenCases["trail"]>): Promise<void> {
  const sent: Sent[] = requests.flatMap(({ at, days, ...request }) =>
    Array.from({ length: days }, (_, day) => ({ ...request, timeMs: at.getTime() + day * DAY_MS })),
  );
  sent.sort((a, b) => a.timeMs - b.timeMs);
  let nowMs = sent[0]?.timeMs ?? 0;
  const sink = await openFile(path, { now: () => nowMs });
  for (const [index, line] of trailOf(await engineOf(policies), sent)
    .trimEnd()
    .split("\n")
    .entries()) {
    nowMs = sent[index]?.timeMs ?? nowMs;
    sink.write(line);
    // The file begins when its first line came.
    if (index === 0) await sink.flush();
  }
  await sink.flush();
  await sink.close();
}

async function engineOf(policies: string): Promise<Engine> {
  const module = readEngineModule();
  const files = await readPolicyDirectory(join(REPOSITORY, policies));
  const { set } = loadPolicySet(files, createCanonicaliser(module));
  if (set === null) throw new Error(`${policies} is not valid`);
  return createEngine(module, compileBundle(set));
}
