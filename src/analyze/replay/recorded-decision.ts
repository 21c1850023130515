import type { CheckInput, CheckKind, Decision } from "../../pdp/decision.ts";
import type { Effect } from "../../policy/model.ts";
import { CONTENT_TYPE } from "../atoms/header-atoms.ts";

/** A decision on record, as far as it is looked at. */
export interface RecordedDecision {
  readonly time: string;
  /** Null when no policies were loaded. */
  readonly revision: string | null;
  readonly id?: string;
  readonly subject: { readonly spiffeId: string };
  readonly target: {
    readonly host: string;
    /** A number where the target was valid. */
    readonly port: number | string | null;
    readonly protocol: CheckKind;
    readonly method: string | null;
    readonly path: string | null;
  };
  readonly effect: Effect;
  readonly shadow: Effect;
  readonly reason: string;
  readonly rules: readonly string[];
  readonly shadowRules: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a record leaves open. */
export type Unknown = "identity" | "path" | "upgrade" | "trust domain" | `header ${string}`;

/** A text of which only the beginning is on record. */
const CUT = /…\[\d+ characters\]$/;

export function isCut(text: string): boolean {
  return CUT.test(text);
}

/**
 * Can the value only have been what is on record? Bytes that are no text are on record as `%FF`, and so is a text that spells
 * it. Repeated headers are joined, which matters where the beginning of a value counts that has a comma further on.
 */
function isPlain([name, value]: readonly [name: string, value: string]): boolean {
  return !isCut(value) && !/%[89A-F][0-9A-F]/.test(value) && !(name === CONTENT_TYPE && value.includes(","));
}

/** The request as far as it is on record, as the engine is asked. Headers are those on record. */
export function recordedInput({ subject, target, headers }: RecordedDecision): CheckInput {
  const { host, port, protocol: kind, method, path } = target;
  return {
    kind,
    principal: subject.spiffeId,
    host,
    port: port === null ? null : String(port),
    method: method ?? "",
    path: path ?? "",
    headers: Object.entries(headers ?? {}).filter(isPlain),
  };
}

/** Did a decision come out as it is on record? */
export function isAsRecorded(decision: Decision, record: RecordedDecision): boolean {
  return (
    decision.effect === record.effect &&
    decision.reason === record.reason &&
    decision.shadow === record.shadow &&
    sameTexts(decision.rules, record.rules) &&
    sameTexts(decision.shadowRules, record.shadowRules)
  );
}

/** Both are sorted. */
export function sameTexts(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((each, index) => each === other[index]);
}

/** As `check` takes it: `GET http://host:port/path`, `TLS host:port`. */
export function requestText({ target }: RecordedDecision): string {
  const { protocol, method, host, port, path } = target;
  if (protocol !== "http") return `${protocol.toUpperCase()} ${host}:${port}`;
  return `${method} http://${host}${port === 80 ? "" : `:${port}`}${path}`;
}
