import type { Engine } from "../../pdp/engine.ts";
import { coveringPatterns } from "../../policy/host-pattern.ts";
import { createListText, type ListText } from "../../policy/list-text.ts";
import type {
  EgressPolicy,
  ExternalService,
  Fallback,
  HostPattern,
  IdentitySelector,
  PathPattern,
  PolicySet,
  Rule,
  RuleTarget,
  Scope,
  SubjectSelector,
  WhenExpression,
} from "../../policy/model.ts";
import { keyOf } from "../../policy/work/subjects.ts";
import { isUpgradeHeader } from "../atoms/header-atoms.ts";
import { scopedName } from "../scoped-name.ts";

/** One of the two revisions that are compared. */
export interface Revision {
  readonly set: PolicySet;
  readonly engine: Pick<Engine, "outcome" | "decideAssuming" | "revision">;
}

/** What one rule says of one of its selectors and one of its targets. */
export interface Item {
  readonly subject: Subject;
  readonly scope: Scope;
  readonly denies: boolean;
  /** Null = every target. */
  readonly service: string | null;
  readonly pattern: HostPattern | null;
  readonly conditions: Pick<RuleTarget, "ports" | "methods" | "paths" | "headers">;
  readonly upgrades: readonly string[];
  /** Null where it has begun already, or never ends. */
  readonly notBefore: number | null;
  readonly expires: number | null;
  readonly when: WhenExpression | null;
  /** What it always asks for, and what in each of the steps, the last step first. */
  readonly texts: readonly string[];
  /** Everything that decides, whom it is for included: equal items decide alike. */
  readonly key: string;
  /** Its place among the items of its set. */
  readonly number: number;
}

/** Whom a selector means, groups with all their members: two of the same key mean the same. */
export interface Subject {
  readonly key: string;
  /** Null = everyone. */
  readonly selectors: readonly IdentitySelector[] | null;
}

/** A set as it is compared. */
export interface Side extends Revision {
  readonly items: readonly Item[];
  /** By service as `namespace/name`, by pattern, and those for every target. */
  readonly byService: ReadonlyMap<string, readonly Item[]>;
  readonly byPattern: ReadonlyMap<HostPattern, readonly Item[]>;
  readonly anywhere: readonly Item[];
  readonly services: ReadonlyMap<HostPattern, readonly ExternalService[]>;
  readonly hostsOf: ReadonlyMap<string, readonly HostPattern[]>;
  /** Groups that set a fallback. */
  readonly fallbacks: readonly { readonly subject: Subject; readonly fallback: Fallback; readonly scope: Scope }[];
}

/** The steps in which what an item asks for is looked at, in this order. */
export const STEPS = ["methods", "paths", "headers", "upgrades", "times", "whens"] as const;

/** What an item asks for in a step. */
export function textAt({ texts }: Item, step: number): string {
  return texts[STEPS.length - step] ?? "";
}

/** What items ask for that ask for nothing, in the order of their texts. */
const NOTHING = ["", "null", "[null,null]", "[][]", "[]", "null", "null"] as const;

/** Does any of the items ask for something in this step? */
export function isLookedAt(step: number, items: readonly Item[]): boolean {
  const nothing = NOTHING[STEPS.length - step];
  for (let i = 0; i < items.length; i++) if (textAt(items[i] as Item, step) !== nothing) return true;
  return false;
}

/** Do both ask for the same in this step and all after it? */
export function isSameFrom(step: number, one: Item, other: Item): boolean {
  for (let at = STEPS.length - step; at >= 0; at--) if (one.texts[at] !== other.texts[at]) return false;
  return true;
}

/** What an item asks for in this step and all after it. */
export function textFrom(step: number, { texts }: Item): string {
  return texts.slice(0, STEPS.length - step + 1).join("");
}

/** @param atMs rules that have expired by then are left out: they let nothing pass and stop nothing */
export function createSide(revision: Revision, atMs: number): Side {
  const { set } = revision;
  const subjectOf = createSubjects(set);
  let number = 0;
  const context = { subjectOf, atMs, textOf: createListText(), nextNumber: () => number++ };
  const items = set.policies.flatMap((policy) =>
    policy.rules
      .filter(({ expires }) => expires === null || expires > atMs)
      .flatMap((rule) => itemsOf(policy, rule, context)),
  );
  const byService = new Map<string, Item[]>();
  const byPattern = new Map<HostPattern, Item[]>();
  const anywhere: Item[] = [];
  for (const item of items) {
    if (item.service !== null) push(byService, item.service, item);
    else if (item.pattern !== null) push(byPattern, item.pattern, item);
    else anywhere.push(item);
  }
  const services = new Map<HostPattern, ExternalService[]>();
  for (const service of set.services) for (const host of service.hosts) push(services, host, service);
  const fallbacks = set.groups.flatMap(({ fallback, scope, name }) =>
    fallback === null ? [] : [{ subject: subjectOf({ kind: "group", scope, name }), fallback, scope }],
  );
  const hostsOf = new Map(set.services.map((service) => [scopedName(service), service.hosts]));
  return { ...revision, items, byService, byPattern, anywhere, services, hostsOf, fallbacks };
}

/** All items that can matter for a host atom. Which of them bind is the engine's to say. */
export function itemsAt(side: Side, pattern: HostPattern | null): readonly Item[] {
  if (pattern === null) return side.anywhere;
  const found = [...side.anywhere];
  const seen = new Set<ExternalService>();
  for (const each of coveringPatterns(pattern)) {
    found.push(...(side.byPattern.get(each) ?? []));
    for (const service of side.services.get(each) ?? []) {
      if (seen.has(service)) continue;
      seen.add(service);
      found.push(...(side.byService.get(scopedName(service)) ?? []));
    }
  }
  return found;
}

/** The services that register a host atom, by the pattern. */
export function servicesAt(
  side: Side,
  pattern: HostPattern | null,
): readonly (readonly [HostPattern, ExternalService])[] {
  if (pattern === null) return [];
  return [...coveringPatterns(pattern)].flatMap((each) =>
    (side.services.get(each) ?? []).map((service) => [each, service] as const),
  );
}

export function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function createSubjects(set: PolicySet): (selector: SubjectSelector | null) => Subject {
  const groups = new Map(set.groups.map((group) => [`${group.scope}/${group.name}`, group.members]));
  const known = new Map<string, Subject>();
  return (selector) => {
    if (selector === null) return EVERYONE;
    const name = keyOf(selector);
    const found = known.get(name);
    if (found !== undefined) return found;
    const made: Subject =
      selector.kind === "group"
        ? groupSubject(groups.get(`${selector.scope}/${selector.name}`) ?? [])
        : { key: name, selectors: [selector] };
    known.set(name, made);
    return made;
  };
}

function groupSubject(selectors: readonly IdentitySelector[]): Subject {
  return { key: selectors.map(keyOf).sort().join(), selectors };
}

const EVERYONE: Subject = { key: "everyone", selectors: null };

interface ItemContext {
  readonly subjectOf: (selector: SubjectSelector | null) => Subject;
  readonly atMs: number;
  readonly textOf: ListText;
  readonly nextNumber: () => number;
}

function itemsOf({ mode, scope }: EgressPolicy, rule: Rule, context: ItemContext): Item[] {
  const { subjectOf, atMs, textOf, nextNumber } = context;
  const denies = rule.effect === "deny";
  const notBefore = rule.notBefore !== null && rule.notBefore > atMs ? rule.notBefore : null;
  const upgrades = denies ? [] : rule.upgrades;
  const subjects = (rule.from ?? [null]).map(subjectOf);
  const items: Item[] = [];
  for (const { service, pattern, conditions } of (rule.to ?? [null]).flatMap(aimsOf)) {
    const { ports, methods, paths, headers } = conditions;
    const aim = service !== null ? `service ${service}` : pattern !== null ? `host ${pattern}` : "any";
    const texts = [
      `${rule.effect} ${mode} ${scope} ${aim} `,
      rule.when === null ? "null" : JSON.stringify(rule.when.text),
      `[${notBefore},${rule.expires}]`,
      textOf(sorted(upgrades)) + textOf(upgradeHeaders(headers)),
      textOf(headers),
      textOf(paths, textOfPath),
      textOf(methods),
    ];
    const whole = `${texts.join("")}${textOf(ports)}`;
    const shared = {
      scope,
      denies,
      service,
      pattern,
      conditions,
      upgrades,
      notBefore,
      texts,
      expires: rule.expires,
      when: rule.when,
    };
    for (const subject of subjects) {
      items.push({ ...shared, subject, number: nextNumber(), key: `${subject.key} ${whole}` });
    }
  }
  return items;
}

function sorted(list: readonly string[]): readonly string[] {
  return list.length < 2 ? list : list.toSorted();
}

/** Conditions on the headers by which a request upgrades are looked at with the upgrade. */
function upgradeHeaders(headers: RuleTarget["headers"]): RuleTarget["headers"] {
  return headers.length === 0 ? headers : headers.filter(({ name }) => isUpgradeHeader(name));
}

function textOfPath({ text }: PathPattern): string {
  return text;
}

const NO_CONDITIONS: Item["conditions"] = { ports: null, methods: null, paths: null, headers: [] };

function aimsOf(to: RuleTarget | null): readonly Pick<Item, "service" | "pattern" | "conditions">[] {
  if (to === null) return [{ service: null, pattern: null, conditions: NO_CONDITIONS }];
  if (to.service !== null) return [{ service: scopedName(to.service), pattern: null, conditions: to }];
  return (to.hosts ?? []).map((pattern) => ({ service: null, pattern, conditions: to }));
}
