import { patternCovers } from "../policy/host-pattern.ts";
import type { HostPattern, IdentitySelector, PortProtocol, SourcePosition } from "../policy/model.ts";
import { type AssumedOpen, isAssumedOpen } from "./assumed.ts";
import type { Aim, Claim, DraftPolicy, DraftRule, DraftSubject } from "./draft.ts";
import { patternsMeet } from "./hosts.ts";
import type { ImportCode } from "./note.ts";
import { placed } from "./place.ts";
import type { ObjectSource } from "./read-objects.ts";
import { isRequests } from "./registry.ts";
import { selectorCovers, selectorsMeet } from "./subjects.ts";

/** What something in the source may refuse, in ways that cannot be said here: nothing of it is opened. */
export interface Withheld {
  /** Of the policy that says so, where a deny is needed. */
  readonly name: string;
  /** Null = everyone. */
  readonly from: readonly IdentitySelector[] | null;
  /** Null = every host. */
  readonly hosts: readonly HostPattern[] | null;
  /** Null = both. */
  readonly traffic: "requests" | "connections" | null;
  readonly at: SourcePosition;
}

/** An object that may refuse something, and what. */
export interface Obstacle {
  readonly object: ObjectSource;
  /** Empty = it lies in nobody's way out. */
  readonly withheld: readonly Withheld[];
}

/** What obstacles withhold, but for those of which somebody says that they refuse nothing; with a note for each. */
export function heed(
  obstacles: readonly Obstacle[],
  assumed: readonly AssumedOpen[],
  note: (code: ImportCode, at: SourcePosition, message: string) => void,
): readonly Withheld[] {
  return obstacles.flatMap(({ object, withheld }) => {
    const { kind, namespace, name, source } = object;
    const at = source.position([]);
    if (withheld.length === 0) {
      note("not-for-the-gateway", at, `${kind} \`${namespace}/${name}\` is for nothing on the way out`);
      return [];
    }
    if (isAssumedOpen(object, assumed)) {
      note(
        "assumed-open",
        at,
        `${kind} \`${namespace}/${name}\` was not read: by \`--assume-open\` it refuses nothing`,
      );
      return [];
    }
    const what = withheld.map((each) => inWords(each)).join(", and ");
    const message = `${kind} \`${namespace}/${name}\` may refuse more than can be told here, so ${what} are left out; if it refuses nothing: --assume-open ${kind}/${namespace}/${name}`;
    note("may-refuse", at, message);
    return withheld;
  });
}

function inWords({ from, hosts, traffic }: Withheld): string {
  const names = (from ?? []).map((each) => (each.kind === "namespace" ? each.namespace : each.kind));
  const whose = names.length === 0 ? "" : ` of ${names.join(", ")}`;
  const where = hosts === null ? "" : ` to ${hosts.map((each) => `\`${each}\``).join(", ")}`;
  return `all ${traffic ?? "allows"}${whose}${where}`;
}

/**
 * Policies without what is withheld. An allow of which only a part is withheld stays, and a deny at the root takes the part
 * away.
 */
export function withholding(
  policies: readonly DraftPolicy[],
  withheld: readonly Withheld[],
  claims: readonly Claim[],
  owner: string,
): readonly DraftPolicy[] {
  let left = policies;
  const denies: DraftPolicy[] = [];
  for (const each of withheld) {
    let partly = false;
    left = left.map((policy) => ({
      ...policy,
      rules: policy.rules.flatMap((rule) => {
        const cut = without(rule, each);
        partly ||= cut.partly;
        return cut.rules;
      }),
    }));
    if (partly) denies.push(...placed(each.name, owner, [denyOf(each, claims)]));
  }
  return [...left.filter(({ rules }) => rules.length > 0), ...denies];
}

/** An allow without what is withheld as far as it can be taken out of it; `partly` = not all could. */
function without(
  rule: DraftRule,
  withheld: Withheld,
): { readonly rules: readonly DraftRule[]; readonly partly: boolean } {
  const { from, aims } = rule;
  if (rule.effect === "deny" || from === null || aims === null) return { rules: [rule], partly: false };
  const apart = aims.filter((aim) => !meets(aim, withheld));
  const whole = aims.filter((aim) => meets(aim, withheld) && covers(withheld, aim));
  const parts = aims.filter((aim) => !apart.includes(aim) && !whole.includes(aim));
  const free = from.filter((each) => !isSubjectCovered(each, withheld));
  const bound = (some: readonly DraftSubject[]): boolean => some.some((each) => isSubjectMet(each, withheld));
  const rules = [
    { ...rule, from, aims: [...apart, ...parts] },
    { ...rule, from: free, aims: whole },
  ].filter((each) => each.aims.length > 0 && each.from.length > 0);
  return { rules, partly: (whole.length > 0 && bound(free)) || (parts.length > 0 && bound(from)) };
}

function meets({ pattern, protocol }: Aim, { hosts, traffic }: Withheld): boolean {
  return (
    (hosts === null || hosts.some((each) => patternsMeet(each, pattern))) &&
    (traffic === null || protocol === null || trafficOf(protocol) === traffic)
  );
}

function covers({ hosts, traffic }: Withheld, { pattern, protocol }: Aim): boolean {
  return (
    (hosts === null || hosts.some((each) => patternCovers(each, pattern))) &&
    (traffic === null || (protocol !== null && trafficOf(protocol) === traffic))
  );
}

function trafficOf(protocol: PortProtocol): "requests" | "connections" {
  return isRequests({ protocol }) ? "requests" : "connections";
}

function isSubjectCovered(subject: DraftSubject, { from }: Withheld): boolean {
  return from === null || (subject.kind !== "group" && from.some((each) => selectorCovers(each, subject)));
}

function isSubjectMet(subject: DraftSubject, { from }: Withheld): boolean {
  return from === null || subject.kind === "group" || from.some((each) => selectorsMeet(each, subject));
}

function denyOf(withheld: Withheld, claims: readonly Claim[]): DraftRule {
  const { name, from, hosts, at } = withheld;
  const aims = claims.flatMap(({ pattern, port, protocol }): readonly Aim[] => {
    const some = hosts === null ? [pattern] : hosts.filter((each) => patternsMeet(each, pattern));
    return some
      .map((each) => ({ pattern: patternCovers(each, pattern) ? pattern : each, ports: [port], protocol }))
      .filter((aim) => meets(aim, withheld));
  });
  return { name, effect: "deny", from, aims, methods: null, paths: null, headers: null, at };
}
