import { type BundleReader, createBundleReader } from "../bundle/bundle-reader.ts";
import { LAYOUT } from "../bundle/layout.ts";
import { REASONS } from "../bundle/reason.ts";
import { bundleRevision } from "../bundle/revision.ts";
import type { Effect } from "../policy/model.ts";
import { atOnce } from "./at-once.ts";
import type { CheckInput, Decision, Dependencies, Subject } from "./decision.ts";
import { createEngineInstance, type EngineInstance } from "./engine-instance.ts";
import { ALWAYS_READ, createQuestionWriter } from "./question.ts";
import { readVerdicts, type Verdicts } from "./verdicts.ts";
import { type Assume, createWhens } from "./when.ts";

/** The engine with one bundle. Deciding allocates nothing inside the engine; only the returned decision is new. */
export interface Engine {
  /** `sha256:` and 64 hexadecimal digits. */
  readonly revision: string;
  /** Names of the headers it can look at, in lower case. */
  readonly headers: readonly string[];
  /** Decides at `nowMs` (ms since the epoch). Throws only when the engine itself fails: the caller must deny. */
  decide(input: CheckInput, nowMs: number): Decision;
  /** Decides likewise. What is given is the same object each time, and tells of this question until the next. Throws alike. */
  outcome(input: CheckInput, nowMs: number): Outcome;
  /** Decides likewise, but takes expressions for what is assumed of them where they can be told at all. Throws alike. */
  decideAssuming(input: CheckInput, nowMs: number, assume: Assume): Decision;
  /** Decides likewise and tells what each condition came to. Throws alike. */
  explain(input: CheckInput, nowMs: number): Verdicts;
}

/** The effects of a decision; the rest of it is read only for those who ask: most who compare two need not. */
export interface Outcome extends Pick<Decision, "effect" | "shadow"> {
  decision(): Decision;
}

/**
 * Loads a bundle into an engine of its own, so that a swap is an assignment and an old revision's memory goes with it.
 * `revision` = that of the bundle, where it is known already. Throws a RangeError when the bytes are not a bundle of this version.
 */
export function createEngine(
  module: WebAssembly.Module,
  bundle: Uint8Array,
  revision: string = bundleRevision(bundle),
): Engine {
  return atOnce(loadEngine(module, bundle, revision));
}

/** As `createEngine`, in steps of a millisecond, between which others may run. `bundle` must not change meanwhile. */
export function* loadEngine(module: WebAssembly.Module, bundle: Uint8Array, revision: string): Generator<void, Engine> {
  const engine = createEngineInstance(module);
  const address = yield* engine.loading(bundle);
  if (address === null) {
    throw new RangeError("not a bundle of this version: wrong magic, version, length or section bounds");
  }
  return engineOf(engine, bundle, revision);
}

function engineOf(engine: EngineInstance, bundle: Uint8Array, revision: string): Engine {
  const names = createBundleReader(bundle);
  const headers = [...ALWAYS_READ, ...names.headerNames()];
  const writeQuestion = createQuestionWriter(engine, new Set(headers));
  const readAnswer = createAnswerReader(engine, names);
  let asker = "";
  const outcome: Outcome = {
    get effect() {
      return effectAt(engine, LAYOUT.A_EFFECT);
    },
    get shadow() {
      return effectAt(engine, LAYOUT.A_SHADOW);
    },
    decision: () => readAnswer(asker),
  };
  const whens = createWhens(engine, names);
  /** An answer that waits for expressions is given again once they have been evaluated. */
  const decide = (input: CheckInput, nowMs: number, assume: Assume | null = null): void => {
    writeQuestion(input);
    engine.exports.decide(nowMs);
    if (engine.view.getUint32(engine.answer + LAYOUT.A_WHEN_COUNT, true) === 0) return;
    whens.answerAll({ input, nowMs, decision: readAnswer(input.principal) }, assume);
    engine.exports.decideAgain(nowMs);
  };
  return {
    revision,
    headers,
    decide(input, nowMs) {
      decide(input, nowMs);
      return readAnswer(input.principal);
    },
    outcome(input, nowMs) {
      decide(input, nowMs);
      asker = input.principal;
      return outcome;
    },
    decideAssuming(input, nowMs, assume) {
      decide(input, nowMs, assume);
      return readAnswer(input.principal);
    },
    explain(input, nowMs) {
      decide(input, nowMs);
      const decision = readAnswer(input.principal);
      return readVerdicts(engine, nowMs, decision, (offset) => whens.ofItem(offset, { input, nowMs, decision }));
    },
  };
}

function effectAt({ view, answer }: EngineInstance, field: number): Effect {
  return view.getUint32(answer + field, true) === LAYOUT.EFFECT_ALLOW ? "allow" : "deny";
}

/** Reads the answer area. What many answers share is made once: subjects, sole rules, dependencies. */
function createAnswerReader(engine: EngineInstance, names: BundleReader): (principal: string) => Decision {
  const { answer } = engine;
  const u32 = (field: number): number => engine.view.getUint32(answer + field, true);
  const text = (address: number, length: number): string => engine.bytes.toString("latin1", address, address + length);
  const index = (list: number, at: number): number => engine.view.getUint32(u32(list) + at * 4, true);
  const ruleIds = (list: number, count: number): readonly string[] => {
    if (count === 0) return NOTHING;
    if (count === 1) return names.rule(index(list, 0)).sole;
    const { view } = engine;
    const start = u32(list);
    const ids: string[] = [];
    for (let at = start; at < start + count * 4; at += 4) ids.push(names.rule(view.getUint32(at, true)).id);
    return ids;
  };
  const readDependencies = (): Dependencies => {
    const mask = u32(LAYOUT.A_MASK);
    const headers = Array.from({ length: u32(LAYOUT.A_HEADER_COUNT) }, (_, at) =>
      names.header(index(LAYOUT.A_HEADERS, at)),
    );
    return dependencies(mask, headers);
  };
  const readSubject = createSubjectReader(u32, text);
  return (principal) => {
    const reason = REASONS[u32(LAYOUT.A_REASON)];
    if (reason === undefined) throw new RangeError(`the engine answered the unknown reason ${u32(LAYOUT.A_REASON)}`);
    const ruleCount = u32(LAYOUT.A_RULE_COUNT);
    const validUntil = engine.view.getFloat64(answer + LAYOUT.A_VALID_UNTIL, true);
    const service = u32(LAYOUT.A_SERVICE);
    const hostLength = u32(LAYOUT.A_HOST_LENGTH);
    return {
      effect: effectAt(engine, LAYOUT.A_EFFECT),
      reason,
      rules: ruleIds(LAYOUT.A_RULES, ruleCount),
      shadow: effectAt(engine, LAYOUT.A_SHADOW),
      shadowRules: ruleIds(LAYOUT.A_SHADOW_RULES, u32(LAYOUT.A_SHADOW_RULE_COUNT)),
      validUntil: validUntil === Number.POSITIVE_INFINITY ? null : validUntil,
      dependsOn:
        u32(LAYOUT.A_HEADER_COUNT) === 0
          ? (WITHOUT_HEADERS[u32(LAYOUT.A_MASK) & MASK_ALL] ?? readDependencies())
          : readDependencies(),
      cacheable: u32(LAYOUT.A_CACHEABLE) !== 0,
      subject: readSubject(principal),
      target: hostLength === 0 ? null : { host: text(u32(LAYOUT.A_HOST), hostLength), port: u32(LAYOUT.A_PORT) },
      service: service === LAYOUT.NONE ? null : names.service(service),
      note: ruleCount === 0 ? null : names.rule(index(LAYOUT.A_RULES, 0)).note,
    };
  };
}

const NOTHING: readonly string[] = [];
const MASK_ALL = LAYOUT.MASK_METHOD | LAYOUT.MASK_PATH | LAYOUT.MASK_CONTENT_TYPE;
const WITHOUT_HEADERS: readonly Dependencies[] = Array.from({ length: MASK_ALL + 1 }, (_, mask) =>
  dependencies(mask, NOTHING),
);

function dependencies(mask: number, headers: readonly string[]): Dependencies {
  return {
    method: (mask & LAYOUT.MASK_METHOD) !== 0,
    path: (mask & LAYOUT.MASK_PATH) !== 0,
    contentType: (mask & LAYOUT.MASK_CONTENT_TYPE) !== 0,
    headers: headers.toSorted(),
  };
}

/** Subjects that are remembered by the principal that was asked about. */
const KEPT_SUBJECTS = 8_192;

/** What a principal means follows from the principal and the bundle alone. */
function createSubjectReader(
  u32: (field: number) => number,
  text: (address: number, length: number) => string,
): (principal: string) => Decision["subject"] {
  const kept = new Map<string, Subject>();
  return (principal) => {
    const known = kept.get(principal);
    if (known !== undefined) return known;
    const subject = readSubject(u32, text);
    // What is no identity can be any text, of any length.
    if (subject === null) return null;
    if (kept.size === KEPT_SUBJECTS) kept.clear();
    kept.set(principal, subject);
    return subject;
  };
}

function readSubject(
  u32: (field: number) => number,
  text: (address: number, length: number) => string,
): Decision["subject"] {
  const domainLength = u32(LAYOUT.A_DOMAIN_LENGTH);
  if (domainLength === 0) return null;
  const path = text(u32(LAYOUT.A_ID_PATH), u32(LAYOUT.A_ID_PATH_LENGTH));
  const namespaceLength = u32(LAYOUT.A_NAMESPACE_LENGTH);
  const workload = namespaceLength > 0;
  return {
    spiffeId: `spiffe://${text(u32(LAYOUT.A_DOMAIN), domainLength)}${path}`,
    namespace: workload ? path.slice(4, 4 + namespaceLength) : null,
    serviceAccount: workload ? path.slice(8 + namespaceLength) : null,
  };
}
