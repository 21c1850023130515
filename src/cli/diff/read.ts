import type { Change } from "../../analyze/change.ts";
import type { ChangeClass } from "../../analyze/diff/change-class.ts";
import type { Difference } from "../../analyze/diff/diff.ts";
import { type ClassWords, createClassWords } from "../../analyze/diff/words.ts";
import type { ReplayReport } from "../../analyze/replay/replay.ts";
import { indexRules, rulePlace } from "../../analyze/rule-index.ts";
import type { CheckInput, Decision } from "../../pdp/decision.ts";
import { compareText } from "../../policy/reporter.ts";
import type { PolicyRevision } from "../policy-revision.ts";

/** A rule that decides, and where it is written; null where that is not known. */
export interface DecidingRule {
  readonly id: string;
  readonly place: string | null;
}

/** A request as `check` takes it. `to` is null for one that cannot be written so. */
export interface CheckRequest {
  readonly from: string;
  readonly to: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly upgrade: string | null;
  /** RFC 3339. */
  readonly now: string;
}

/** A class of requests that change alike, in words. */
export interface ReadClass extends ClassWords {
  readonly change: Change;
  readonly kind: ChangeClass["kind"];
  readonly was: Decision;
  readonly now: Decision;
  readonly wasRules: readonly DecidingRule[];
  readonly nowRules: readonly DecidingRule[];
  /** Whether the request changes as it is; else only if expressions come to what is assumed, which they may never do. */
  readonly confirmed: boolean;
  readonly check: CheckRequest;
}

/** A comparison in words; widening first. */
export interface ReadDifference {
  readonly classes: readonly ReadClass[];
  readonly counts: Readonly<Record<Change, number>>;
  readonly hosts: number;
  readonly proof: Difference["proof"];
  readonly unproved: readonly string[];
}

/** Two revisions and what came of comparing them. */
export interface Compared {
  readonly old: PolicyRevision;
  readonly now: PolicyRevision;
  readonly atMs: number;
  readonly difference: ReadDifference;
  readonly replay: ReplayReport | null;
}

/** What people are told of each change. */
export const CHANGES: Readonly<Record<Change, string>> = {
  widening: "allowed now, denied before",
  narrowing: "denied now, allowed before",
  "shadow-widening": "allowed once report mode is enforced, denied so before",
  "shadow-narrowing": "denied once report mode is enforced, allowed so before",
};

export function readDifference(difference: Difference, old: PolicyRevision, now: PolicyRevision): ReadDifference {
  const rules = [indexRules(old.set), indexRules(now.set)] as const;
  const classWords = createClassWords(difference);
  const classes = difference.classes.map((each): ReadClass => {
    const { change, was, now: is, witness } = each.box;
    const placed = (ids: readonly string[], index: (typeof rules)[number]): readonly DecidingRule[] =>
      ids.toSorted().map((id) => ({ id, place: placeOf(rulePlace(index, id)) }));
    return {
      ...classWords(each),
      ...{ change, kind: each.kind, was: witness.was, now: witness.now },
      wasRules: placed(was, rules[0]),
      nowRules: placed(is, rules[1]),
      confirmed: witness.confirmed,
      check: checkRequest(witness.input, witness.atMs),
    };
  });
  const counts: Record<Change, number> = { widening: 0, narrowing: 0, "shadow-widening": 0, "shadow-narrowing": 0 };
  for (const { change } of classes) counts[change] += 1;
  return {
    classes: classes.sort(classOrder()),
    ...{ counts, hosts: difference.atoms.length, proof: difference.proof },
    unproved: difference.unproved.map(({ kind, principal, host, port }) => `${principal} ${kind} ${host}:${port}`),
  };
}

const ORDER = Object.keys(CHANGES);

/** By the change, then by who, then by where; the whole text is made, once, only of those that are still alike. */
function classOrder(): (one: ReadClass, other: ReadClass) => number {
  const texts = new Map<ReadClass, string>();
  const textOf = (each: ReadClass): string => {
    const text = texts.get(each) ?? sortText(each);
    texts.set(each, text);
    return text;
  };
  return (one, other) =>
    ORDER.indexOf(one.change) - ORDER.indexOf(other.change) ||
    compareText(one.from.of[0] ?? "", other.from.of[0] ?? "") ||
    compareText(one.hosts.of[0] ?? "", other.hosts.of[0] ?? "") ||
    compareText(textOf(one), textOf(other));
}

function sortText({ from, hosts, ports, methods, paths, headers, upgrades, times, expressions }: ReadClass): string {
  return JSON.stringify([from, hosts, ports, methods, paths, headers, upgrades, times, expressions]);
}

/** A bundle does not know where its rules are written. */
function placeOf(place: string | null): string | null {
  return place === ":0" ? null : place;
}

function checkRequest({ kind, principal, host, port, method, path, headers }: CheckInput, atMs: number): CheckRequest {
  const now = new Date(atMs).toISOString();
  const asked = requestText(kind, host, port ?? "", method, path);
  if (headers.length === 0)
    return { from: principal, to: path === "*" ? null : asked, headers: {}, upgrade: null, now };
  const texts = headers.map(([name, value]) => [name, String(value)] as const);
  const of = (name: string): string | null => texts.find(([each]) => each === name)?.[1] ?? null;
  const upgrades = of("connection") === "upgrade" && texts.at(-1)?.[0] === "upgrade";
  const plain = upgrades ? texts.slice(0, -2) : texts;
  const repeated = new Set(plain.map(([name]) => name)).size < plain.length;
  return {
    from: principal,
    to: repeated || path === "*" ? null : asked,
    headers: Object.fromEntries(plain),
    upgrade: upgrades ? of("upgrade") : null,
    now,
  };
}

function requestText(kind: CheckInput["kind"], host: string, port: string, method: string, path: string): string {
  if (kind !== "http") return `${kind.toUpperCase()} ${host}:${port}`;
  return `${method} http://${host}${port === "80" ? "" : `:${port}`}${path}`;
}

/** The command that asks for the request. Null when it cannot be written. */
export function checkCommandText({ from, to, headers, upgrade, now }: CheckRequest, policies: string): string | null {
  if (to === null) return null;
  return [
    "sallyport check",
    ...[quote(from), quote(to)],
    ...Object.entries(headers).map(([name, value]) => `--header ${quote(`${name}=${value}`)}`),
    ...(upgrade === null ? [] : [`--upgrade ${quote(upgrade)}`]),
    `--now ${now}`,
    `--policies ${quote(policies)}`,
  ].join(" ");
}

function quote(text: string): string {
  return /^[\w./:@=+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
