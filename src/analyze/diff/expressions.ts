import { readsRequest } from "../../policy/model.ts";
import type { Corner } from "./explore.ts";
import type { Item } from "./side.ts";

/** Of an expression. In doubt counts as false for an allow and as true for a deny. */
export type Truth = "true" | "false" | "doubt";

/** What is assumed of expressions, by their texts, under the set before and the one after. */
export type Truths = readonly [ReadonlyMap<string, Truth>, ReadonlyMap<string, Truth>];

/** An expression, and whether it comes to the same under both sets, or counts under one of them. */
interface Expression {
  readonly text: string;
  readonly before: boolean;
  readonly after: boolean;
}

/** More ways to assume something than these are not tried. */
export const MOST_WAYS = 5_000;

/** Expressions of rules that are left. Where more than rules differs, the same text may read other things on either side. */
export function expressionsOf(
  { structure, kind }: Pick<Corner, "structure" | "kind">,
  old: readonly Item[],
  now: readonly Item[],
): readonly Expression[] {
  // What cannot be seen is in doubt, and has been looked at.
  const textsOf = (items: readonly Item[]): readonly string[] =>
    items.flatMap(({ when }) => (when === null || (kind !== "http" && readsRequest(when.reads)) ? [] : [when.text]));
  const [olds, nows] = [new Set(textsOf(old)), new Set(textsOf(now))];
  if (structure) {
    return [
      ...[...olds].map((text) => ({ text, before: true, after: false })),
      ...[...nows].map((text) => ({ text, before: false, after: true })),
    ];
  }
  return [...new Set([...olds, ...nows])].map((text) => ({ text, before: true, after: true }));
}

/**
 * Enough ways for expressions to come out that none is missed in which one set denies what the other allows. A set allows when
 * none of its denies holds and one of its allows does, or the fallback lets pass; so for one to deny and the other to allow, one
 * deny and one allow need to hold, and everything else may be false.
 */
export function waysOf(expressions: readonly Expression[]): readonly Truths[] {
  const states = expressions.flatMap((each) => (["true", "doubt"] as const).map((truth) => [each, truth] as const));
  const nothing = states.slice(0, 0);
  const pairs = states.flatMap((one, index) => states.slice(index + 1).map((other) => [one, other]));
  return [nothing, ...states.map((each) => [each]), ...pairs].map((held) => {
    const given = (turn: "before" | "after"): ReadonlyMap<string, Truth> =>
      new Map([
        ...expressions.filter((each) => each[turn]).map(({ text }): [string, Truth] => [text, "false"]),
        ...held.filter(([each]) => each[turn]).map(([{ text }, truth]): [string, Truth] => [text, truth]),
      ]);
    return [given("before"), given("after")];
  });
}
