import { compileBundle } from "../../bundle/compile.ts";
import { createEngine } from "../../pdp/engine.ts";
import type { Canonicaliser } from "../../policy/canonicaliser.ts";
import { loadPolicySet } from "../../policy/load.ts";
import type { PolicySet } from "../../policy/model.ts";
import type { PolicyFile } from "../../policy/parse-cache.ts";
import { brokenTests } from "../broken-tests.ts";
import { runDecisionTests } from "../decision-tests.ts";
import { closedSet } from "../evidence/closed-set.ts";
import { lint } from "../lint/lint.ts";
import { LINT_CODES } from "../lint/lint-codes.ts";
import type { DraftPolicy } from "./draft.ts";
import { type DraftFile, textOf } from "./draft-document.ts";
import { caseFile } from "./learnt-cases.ts";

/** A file of the draft, as it is to be written. */
export interface LearntFile {
  /** Relative to the policy directory, with `/`. */
  readonly path: string;
  readonly text: string;
}

export interface ProofOptions {
  readonly set: PolicySet;
  readonly sources: readonly PolicyFile[];
  readonly module: WebAssembly.Module;
  readonly canon: Canonicaliser;
  readonly nowMs: number;
}

/** A draft that holds. */
export interface ProvenDraft {
  readonly files: readonly LearntFile[];
  /** Cases of the set's own tests that no longer come out beside the draft. */
  readonly brokenTests: readonly string[];
}

/**
 * Writes a draft with its tests, and reads it back beside the set: it is valid, every test passes, the lint finds nothing that
 * must be mended, and it holds what was meant. @throws RangeError saying what is not so; then nothing of it may be used
 */
export function proveDraft(
  drafts: readonly DraftFile[],
  policies: readonly DraftPolicy[],
  { set: before, sources, module, canon, nowMs }: ProofOptions,
): ProvenDraft {
  const policyFiles = drafts.map((draft) => ({ path: draft.path, text: textOf(draft) }));
  const set = load([...sources, ...policyFiles.map(fileOf)], canon).set;
  const ownTrustDomain = set.gateway.trustDomains[0] ?? "";
  const judge = {
    engine: createEngine(module, compileBundle(closedSet(set))),
    nowMs,
    ownTrustDomain,
    open: set.gateway.securityModel === "AllowAny",
  };
  const testFiles = policies.map((policy) => {
    const draft = caseFile(policy, judge);
    return { path: draft.path, text: textOf(draft) };
  });
  const files = [...policyFiles, ...testFiles].sort((a, b) => (a.path < b.path ? -1 : 1));
  const ours = new Set(files.map(({ path }) => path));
  const all = [...sources, ...files.map(fileOf)];
  const whole = load(all, canon);
  const engine = createEngine(module, compileBundle(whole.set));
  const tests = whole.tests.filter(({ at }) => ours.has(at.file));
  const failed = runDecisionTests(tests, engine.decide, ownTrustDomain, null).find(({ passed }) => !passed);
  if (failed !== undefined) throw new RangeError(`the test \`${failed.case.name}\` does not come out as it should`);
  const { findings } = lint(whole.set, all, { nowMs, withinMs: 0, owners: null, observed: null });
  const found = findings.find(({ code, at }) => ours.has(at.file) && LINT_CODES[code].severity !== "note");
  if (found !== undefined) throw new RangeError(`the lint would find: ${found.message}`);
  const present = createEngine(module, compileBundle(before));
  const theirs = whole.tests.filter(({ at }) => !ours.has(at.file));
  return { files, brokenTests: brokenTests(theirs, present.decide, engine.decide, ownTrustDomain) };
}

function load(
  files: readonly PolicyFile[],
  canon: Canonicaliser,
): { set: PolicySet } & ReturnType<typeof loadPolicySet> {
  const loaded = loadPolicySet(files, canon);
  const { set, diagnostics } = loaded;
  if (set !== null) return { ...loaded, set };
  const first = diagnostics.find(({ severity }) => severity === "error");
  throw new RangeError(first === undefined ? "it is not valid" : `${first.at.file}:${first.at.line}: ${first.message}`);
}

function fileOf({ path, text }: LearntFile): PolicyFile {
  return { path, bytes: new TextEncoder().encode(text) };
}
