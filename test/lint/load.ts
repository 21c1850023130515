import { type LintOptions, type LintReport, lint } from "../../src/analyze/lint/lint.ts";
import { createTrafficCollector, type Traffic, type TrafficRecord } from "../../src/analyze/lint/traffic/collect.ts";
import { compileBundle } from "../../src/bundle/compile.ts";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { createEngine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import type { PolicySet } from "../../src/policy/model.ts";
import type { PolicyFile } from "../../src/policy/parse-cache.ts";

const engineModule = readEngineModule();
const canonicaliser = createCanonicaliser(engineModule);

export const NOW_MS = Date.parse("2026-11-23T12:00:00Z");
export const DAY_MS = 86_400_000;

/** Reads files that must be valid. */
export function requireFiles(files: readonly PolicyFile[]): PolicySet {
  const { set, diagnostics } = loadPolicySet(files, canonicaliser);
  if (set === null) throw new Error(diagnostics.map(({ code, message }) => `${code}: ${message}`).join("\n"));
  return set;
}

/** What is told of some traffic. */
export function collect(set: PolicySet, records: readonly TrafficRecord[]): Traffic {
  const bundle = compileBundle(set);
  const collector = createTrafficCollector(set, createEngine(engineModule, bundle), bundle);
  for (const record of records) collector.add(record);
  return collector.traffic;
}

/** Lints valid files, by default on the usual day and without anything beside them. */
export function lintFiles(files: readonly PolicyFile[], options: Partial<LintOptions> = {}): LintReport {
  const usual = { nowMs: NOW_MS, withinMs: 30 * DAY_MS, owners: null, observed: null };
  return lint(requireFiles(files), files, { ...usual, ...options });
}

/** Texts by path as files. */
export function asFiles(texts: Readonly<Record<string, string>>): PolicyFile[] {
  return Object.entries(texts).map(([path, text]) => ({ path, bytes: new TextEncoder().encode(text) }));
}
