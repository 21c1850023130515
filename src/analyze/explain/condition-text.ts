import type { CheckInput } from "../../pdp/decision.ts";
import type { Binding, ItemVerdict, Verdict } from "../../pdp/verdicts.ts";
import type { RuleTarget, ServiceRef, SubjectSelector, WhenExpression } from "../../policy/model.ts";
import { printable } from "../../policy/printable.ts";
import type { ExpressionOutcome } from "../../policy/when/evaluate-expression.ts";
import { scopedName } from "../scoped-name.ts";
import { spanText } from "../span.ts";

/** Entries of a list that are shown; a rule can have thousands. */
const SHOWN = 5;

/** `[a, b]`, `[a, b, c, d, e and 12 more]`. */
export function listText(values: readonly (string | number)[]): string {
  const more = values.length - SHOWN;
  return `[${values.slice(0, SHOWN).join(", ")}${more > 0 ? ` and ${more} more` : ""}]`;
}

/** A selector as its author could have written it. @param own the mesh's own trust domain */
export function selectorText(selector: SubjectSelector, own: string): string {
  if (selector.kind === "group") return `group ${scopedName(selector)}`;
  if (selector.kind === "namespace") return `namespace ${selector.namespace}`;
  if (selector.kind === "trustDomain") return `trust domain ${selector.trustDomain}`;
  const account = /^\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(selector.path);
  if (selector.kind === "id" && selector.trustDomain === own && account !== null) return `${account[1]}/${account[2]}`;
  return `spiffe://${selector.trustDomain}${selector.path}${selector.kind === "prefix" ? "/*" : ""}`;
}

/** `nowMs` against the window of a rule; one of the ends is set. */
export function windowText(
  verdict: ItemVerdict["window"],
  nowMs: number,
  from: number | null,
  to: number | null,
): string {
  if (verdict === "before" && from !== null) return `begins in ${spanText(from - nowMs)} (${instantText(from)})`;
  if (verdict === "after" && to !== null) return `expired ${spanText(nowMs - to)} ago (${instantText(to)})`;
  if (to === null) return `in its window, which has no end`;
  return `ends in ${spanText(to - nowMs)} (${instantText(to)})`;
}

/** What an expression came to, and what of the request it could look at. */
export function whenText(
  { text, reads }: WhenExpression,
  { truth, why }: ExpressionOutcome,
  { input, nowMs }: { readonly input: Pick<CheckInput, "method" | "path" | "headers">; readonly nowMs: number },
): string {
  const given = (name: string): string => {
    const values = input.headers.filter(([each]) => each === name).map(([, value]) => value);
    return values.length === 0
      ? "absent"
      : values.map((each) => (typeof each === "string" ? each : "(bytes)")).join(" and ");
  };
  const inputs = [
    ...(reads.method ? [`method ${input.method}`] : []),
    ...(reads.path ? [`path ${input.path}`] : []),
    ...reads.headers.map((name) => `header ${name} ${given(name)}`),
    ...(reads.clock ? [`now ${instantText(nowMs)}`] : []),
  ];
  const seen = inputs.length === 0 ? "" : ` (${inputs.join(", ")})`;
  return printable(`${text} is ${truth === "doubt" ? `in doubt: ${why}` : truth}${seen}`);
}

/** RFC 3339 without idle milliseconds. */
function instantText(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}

/** What of the target a rule speaks of, against what was asked. */
export function bindingText(
  binding: Binding,
  asked: {
    readonly host: string;
    readonly service: string | null;
    readonly place: string;
    /** The ports on which the rule's service has the host instead. */
    readonly elsewhere: readonly string[];
  },
  means: { readonly service: ServiceRef | null; readonly pattern: string | null },
): string {
  const name = means.service === null ? `host ${means.pattern}` : `service ${scopedName(means.service)}`;
  switch (binding) {
    case "bound":
      return means.service === null ? `${asked.host} is ${name}` : `${asked.place} is of ${name}`;
    case "unowned":
      if (asked.elsewhere.length > 0)
        return `${asked.place} is nobody's: ${name} has the host on ${asked.elsewhere.join(", ")}`;
      return `${asked.place} is nobody's, not of ${name} either`;
    case "hidden":
      return `the namespace's own service ${asked.service} stands before ${name}`;
    case "wider":
      return `${name} is wider than the pattern by which ${asked.service} registers ${asked.host}`;
    case "foreign":
      return `${asked.service} is a namespace's own service: a policy of the root allows only global ones`;
    case "elsewhere":
      if (means.service === null) return `${asked.host} is not ${name}`;
      return `${asked.place} is of service ${asked.service}, not of ${name}`;
  }
}

/** A request's value against the list of a rule. */
export function memberText(what: string, value: string, verdict: Verdict, list: readonly (string | number)[]): string {
  if (verdict === "doubt") return `${what} ${doubted(value)} against ${listText(list)}`;
  return `${what} ${printable(value)} ${verdict === "true" ? "" : "not "}in ${listText(list)}`;
}

function doubted(value: string): string {
  return value === "" ? "cannot be seen and is in doubt" : `${printable(value)} is ambiguous and in doubt`;
}

/** One header condition against the values that the request has. */
export function headerText(
  { name, values }: RuleTarget["headers"][number],
  verdict: Verdict,
  given: readonly (string | Uint8Array)[],
): string {
  const [only] = given;
  if (only === undefined) {
    return verdict === "doubt"
      ? memberText(`header ${name}`, "", verdict, values)
      : `header ${name} is absent, not one of ${listText(values)}`;
  }
  if (given.length > 1) return `header ${name} is repeated and in doubt against ${listText(values)}`;
  return memberText(`header ${name}`, typeof only === "string" ? only : "(bytes)", verdict, values);
}
