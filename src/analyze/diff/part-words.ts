import { GRPC } from "../atoms/header-atoms.ts";
import { AMBIGUOUS, EXCEPT, NO_UPGRADE, OTHER, OTHER_GRPC } from "./labels.ts";

/** Some things of a kind, or all of them but some. `of` is then `any`. */
export interface Told {
  readonly of: readonly string[];
  readonly except: readonly string[];
}

/** What a box of requests is, in words; two that read the same are the same. Null = whatever it is. */
export interface PartWords {
  readonly methods: Told | null;
  readonly paths: Told | null;
  readonly headers: Readonly<Record<string, Told>>;
  /** Expressions on which it hangs which of these requests change, if any. */
  readonly expressions: readonly string[];
  /** Null = whether or not it upgrades. */
  readonly upgrades: Told | null;
  /** RFC 3339: from, and until; null = no end. Empty = whenever. */
  readonly times: readonly { readonly from: string; readonly until: string | null }[];
}

/** Of a split: the labels of the atoms that are in a box, and of those that are not. */
export interface Part {
  readonly of: "methods" | "paths" | `header ${string}` | "upgrades" | "times" | "expressions";
  readonly in: readonly string[];
  readonly out: readonly string[];
  readonly words: Partial<PartWords>;
  /** Puts the words before a text. Only parts that read the same make the same of it. */
  before(text: string): string;
}

export const ANY = "any";

/** The part that has these labels of a split, and lacks those. */
export function createPart(of: Part["of"], inside: readonly string[], out: readonly string[]): Part {
  const words = wordsOf({ of, in: inside, out });
  const own = JSON.stringify(words);
  // Long texts that are met again and again are the same ones: to look one up costs no more than a short one.
  const made = new Map<string, string>();
  return {
    ...{ of, in: inside, out, words },
    before(text) {
      const known = made.get(text);
      if (known !== undefined) return known;
      const whole = own + text;
      made.set(text, whole);
      return whole;
    },
  };
}

type Labels = Pick<Part, "in" | "out">;

function wordsOf(part: Pick<Part, "of" | "in" | "out">): Partial<PartWords> {
  switch (part.of) {
    case "methods":
      return { methods: listWords(part) };
    case "paths":
      return { paths: pathWords(part) };
    case "expressions":
      return { expressions: part.in };
    case "upgrades":
      return { upgrades: upgradeWords(part) };
    case "times":
      return { times: timeWords(part) };
    default:
      return { headers: { [part.of.slice("header ".length)]: headerWords(part) } };
  }
}

const NOTHING_SAID: PartWords = { methods: null, paths: null, headers: {}, expressions: [], upgrades: null, times: [] };

/** What the parts of a box say together. */
export function partWords(parts: readonly Part[]): PartWords {
  const headers = parts.flatMap(({ words }) => Object.entries(words.headers ?? {}));
  return Object.assign({ ...NOTHING_SAID }, ...parts.map(({ words }) => words), {
    headers: Object.fromEntries(headers),
  });
}

function listWords(part: Labels): Told {
  return told(part.in.includes(OTHER), part.in, part.out);
}

/** The same things in the same order, wherever they come from. */
function told(any: boolean, of: readonly string[], except: readonly string[]): Told {
  return any ? { of: [ANY], except: except.toSorted() } : { of: of.toSorted(), except: [] };
}

/** What is other than the values that are named says which these are, where it does not go without saying: elsewhere others may be. */
function headerWords({ in: labels, out }: Labels): Told {
  const grpc = [...labels, ...out].filter(isGrpcValue).map((label) => label.slice(1));
  const than = grpc.length === 0 ? "" : ` than ${grpc.sort().join(", ")}`;
  const text = (label: string): string => {
    if (label.startsWith("=")) return label.slice(1);
    return label === OTHER_GRPC ? `(${label}${than})` : `(${label})`;
  };
  return told(labels.includes("other"), labels.map(text), out.map(text));
}

function isGrpcValue(label: string): boolean {
  return label.startsWith(`=${GRPC}`);
}

function upgradeWords(part: Labels): Told {
  const text = (label: string): string => (label === NO_UPGRADE ? `(${NO_UPGRADE})` : label);
  return told(part.in.includes(OTHER), part.in.map(text), part.out.map(text));
}

/** Patterns that lie wholly in a class by name; of others what they have in it. */
function pathWords(part: Labels): Told {
  const patternsOf = (label: string): readonly string[] =>
    label === AMBIGUOUS || label === "" ? [] : label.split(EXCEPT);
  const inside = part.in.map(patternsOf);
  const outside = part.out.map(patternsOf);
  const others = outside.flat();
  const whole = new Set(inside.flat().filter((each) => !others.includes(each)));
  const ambiguous = part.in.includes(AMBIGUOUS) ? [`(${AMBIGUOUS})`] : [];
  if (part.in.includes("")) {
    const except = [...new Set(others)].filter((each) => !whole.has(each) && !inside.flat().includes(each));
    const partly = [...new Set(others)].filter((each) => !whole.has(each) && inside.flat().includes(each));
    return {
      of: [ANY],
      except: [
        ...except,
        ...partly.map((each) => `part of ${each}`),
        ...(part.out.includes(AMBIGUOUS) ? [`(${AMBIGUOUS})`] : []),
      ],
    };
  }
  const rest = inside.filter((patterns) => patterns.length > 0 && !patterns.some((each) => whole.has(each)));
  const texts = rest.map((patterns) => restText(patterns, outside));
  const named = [...whole].filter((each) => !isWithin(each, whole, [...inside, ...outside]));
  return { of: [...named.sort(), ...[...new Set(texts)].sort(), ...ambiguous], except: [] };
}

/** Is all of a pattern in another one of these? */
function isWithin(pattern: string, among: ReadonlySet<string>, vectors: readonly (readonly string[])[]): boolean {
  const own = vectors.filter((each) => each.includes(pattern));
  return [...among].some((other) => {
    if (other === pattern || !own.every((each) => each.includes(other))) return false;
    const all = vectors.filter((each) => each.includes(other));
    return all.length > own.length || other < pattern;
  });
}

/** What of these patterns together does not belong to a narrower one. */
function restText(patterns: readonly string[], outside: readonly (readonly string[])[]): string {
  const narrower = new Set(
    outside
      .filter((each) => patterns.every((one) => each.includes(one)))
      .flat()
      .filter((each) => !patterns.includes(each)),
  );
  const all = patterns.join(" and ");
  return narrower.size === 0 ? all : `${all} but not ${[...narrower].sort().join(", ")}`;
}

function timeWords(part: Labels): PartWords["times"] {
  const starts = [...part.in, ...part.out].map(Number).sort((one, other) => one - other);
  const spans: { from: number; until: number | null }[] = [];
  for (const [index, start] of starts.entries()) {
    if (!part.in.includes(String(start))) continue;
    const until = starts[index + 1] ?? null;
    const last = spans.at(-1);
    if (last !== undefined && last.until === start) last.until = until;
    else spans.push({ from: start, until });
  }
  return spans.map(({ from, until }) => ({ from: instant(from), until: until === null ? null : instant(until) }));
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
