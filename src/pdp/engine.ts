import { type BundleReader, createBundleReader } from "../bundle/bundle-reader.ts";
import { LAYOUT } from "../bundle/layout.ts";
import { REASONS } from "../bundle/reason.ts";
import { bundleRevision } from "../bundle/revision.ts";
import type { CheckInput, Decision, Dependencies } from "./decision.ts";
import { createEngineInstance, type EngineInstance } from "./engine-instance.ts";
import { createQuestionWriter } from "./question.ts";

/** The engine with one bundle. Deciding allocates nothing inside the engine; only the returned decision is new. */
export interface Engine {
  /** `sha256:` and 64 hexadecimal digits. */
  readonly revision: string;
  /** Decides at `nowMs` (ms since the epoch). Throws only when the engine itself fails: the caller must deny. */
  decide(input: CheckInput, nowMs: number): Decision;
}

/**
 * Loads a bundle into an engine of its own, so that a swap is an assignment and an old revision's memory goes with it.
 * Throws a RangeError when the bytes are not a bundle of this version.
 */
export function createEngine(module: WebAssembly.Module, bundle: Uint8Array): Engine {
  const engine = createEngineInstance(module);
  const address = engine.load(bundle);
  if (address === null) {
    throw new RangeError("not a bundle of this version: wrong magic, version, length or section bounds");
  }
  const names = createBundleReader(bundle);
  const writeQuestion = createQuestionWriter(engine, new Set(names.headerNames()));
  const readAnswer = createAnswerReader(engine, names);
  return {
    revision: bundleRevision(bundle),
    decide(input, nowMs) {
      writeQuestion(input);
      engine.exports.decide(nowMs);
      return readAnswer();
    },
  };
}

function createAnswerReader(engine: EngineInstance, names: BundleReader): () => Decision {
  const { answer } = engine;
  return () => {
    const { view, bytes } = engine;
    const u32 = (field: number): number => view.getUint32(answer + field, true);
    const text = (address: number, length: number): string => bytes.toString("latin1", address, address + length);
    const indexes = (list: number, count: number): number[] => {
      const start = u32(list);
      const found: number[] = [];
      for (let i = u32(count) - 1; i >= 0; i--) found[i] = view.getUint32(start + i * 4, true);
      return found;
    };
    const reason = REASONS[u32(LAYOUT.A_REASON)];
    if (reason === undefined) throw new RangeError(`the engine answered the unknown reason ${u32(LAYOUT.A_REASON)}`);
    const rules = indexes(LAYOUT.A_RULES, LAYOUT.A_RULE_COUNT);
    const [first] = rules;
    const note = first === undefined ? null : names.rule(first);
    const validUntil = view.getFloat64(answer + LAYOUT.A_VALID_UNTIL, true);
    const service = u32(LAYOUT.A_SERVICE);
    const hostLength = u32(LAYOUT.A_HOST_LENGTH);
    return {
      effect: u32(LAYOUT.A_EFFECT) === LAYOUT.EFFECT_ALLOW ? "allow" : "deny",
      reason,
      rules: rules.map((index) => names.rule(index).id),
      shadow: u32(LAYOUT.A_SHADOW) === LAYOUT.EFFECT_ALLOW ? "allow" : "deny",
      shadowRules: indexes(LAYOUT.A_SHADOW_RULES, LAYOUT.A_SHADOW_RULE_COUNT).map((index) => names.rule(index).id),
      validUntil: validUntil === Number.POSITIVE_INFINITY ? null : validUntil,
      dependsOn: dependencies(
        u32(LAYOUT.A_MASK),
        indexes(LAYOUT.A_HEADERS, LAYOUT.A_HEADER_COUNT).map((index) => names.header(index)),
      ),
      cacheable: u32(LAYOUT.A_CACHEABLE) !== 0,
      subject: readSubject(u32, text),
      target: hostLength === 0 ? null : { host: text(u32(LAYOUT.A_HOST), hostLength), port: u32(LAYOUT.A_PORT) },
      service: service === LAYOUT.NONE ? null : names.service(service),
      note: note === null ? null : { policy: note.policy, owner: note.owner, ticket: note.ticket, reason: note.reason },
    };
  };
}

function dependencies(mask: number, headers: readonly string[]): Dependencies {
  return {
    method: (mask & LAYOUT.MASK_METHOD) !== 0,
    path: (mask & LAYOUT.MASK_PATH) !== 0,
    contentType: (mask & LAYOUT.MASK_CONTENT_TYPE) !== 0,
    headers: [...headers].sort(),
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
