import { coveringPatterns, patternCovers } from "../../policy/host-pattern.ts";
import type { ExternalService, HostPattern } from "../../policy/model.ts";
import { conditionsCover, listCovers } from "./condition-cover.ts";
import type { KnownRule } from "./known-rule.ts";
import { coveringKey, keysOver } from "./path-cover.ts";
import type { Aim } from "./rule-aims.ts";
import type { SubjectKey } from "./subject-cover.ts";

/** Finds rules that match whenever another does. */
export interface Cover {
  /**
   * Rules among the accepted ones that together match every request that `inner` matches, or null when they do not, or when
   * that cannot be told. Windows, modes and upgrades are for `accepts` to look at.
   */
  find(inner: KnownRule, accepts: (outer: KnownRule) => boolean): readonly KnownRule[] | null;
}

interface Entry {
  readonly of: KnownRule;
  readonly aim: Aim;
}

/** Entries by the paths that they ask for; `ANY_PATH` holds those that ask for none. */
type ByPath = Map<string, Entry[]>;

const ANY_PATH = "any";
const NO_CONDITIONS = { methods: null, paths: null, headers: [] };
const ANY = "any";

/** @param rules those that can cover others, all of one effect */
export function createCover(rules: readonly KnownRule[]): Cover {
  const entries = new Map<string, ByPath>();
  for (const of of rules) {
    for (const aim of of.aims) {
      for (const key of of.keys) {
        const both = `${key}|${aimKey(aim)}`;
        const byPath: ByPath = entries.get(both) ?? new Map();
        entries.set(both, byPath);
        for (const path of pathKeys(aim)) push(byPath, path, { of, aim });
      }
    }
  }

  return {
    find(inner, accepts) {
      const found = new Set<KnownRule>();
      const matching = inner.aims.filter(({ ports }) => ports?.length !== 0);
      for (const keys of inner.subjects) {
        for (const aim of matching) {
          const outer = one(inner, aim, null, keys, accepts);
          if (outer !== null) found.add(outer);
          else if (aim.service === null || !each(inner, aim, aim.service, keys, accepts, found)) return null;
        }
      }
      return found.size === 0 ? null : [...found];
    },
  };

  /** One rule over the whole aim or, with `pattern`, over what its service owns by that pattern. */
  function one(
    inner: KnownRule,
    aim: Aim,
    pattern: HostPattern | null,
    keys: readonly SubjectKey[],
    accepts: (outer: KnownRule) => boolean,
  ): KnownRule | null {
    for (const target of pattern === null ? wholeKeys(aim) : patternKeys(pattern)) {
      for (const key of keys) {
        for (const outer of candidates(entries.get(`${key}|${target}`), aim)) {
          if (outer.of === inner || !accepts(outer.of) || !speaksFor(outer.of, inner)) continue;
          if (!whenCovers(outer.of, inner)) continue;
          if (aimCovers(outer, inner, aim, pattern) && asksNoMore(outer.aim, aim)) return outer.of;
        }
      }
    }
    return null;
  }

  /** Rules by host over each pattern of a service. */
  function each(
    inner: KnownRule,
    aim: Aim,
    { hosts }: ExternalService,
    keys: readonly SubjectKey[],
    accepts: (outer: KnownRule) => boolean,
    found: Set<KnownRule>,
  ): boolean {
    for (const pattern of hosts) {
      const outer = one(inner, aim, pattern, keys, accepts);
      if (outer === null) return false;
      found.add(outer);
    }
    return true;
  }
}

function push(byPath: ByPath, path: string, entry: Entry): void {
  const list = byPath.get(path);
  if (list === undefined) byPath.set(path, [entry]);
  else list.push(entry);
}

function pathKeys({ to }: Aim): Iterable<string> {
  const paths = to?.paths ?? null;
  return paths === null ? [ANY_PATH] : new Set(paths.map(coveringKey));
}

/** Those that ask for no path, and those that can cover the first path that the inner aim asks for. */
function* candidates(byPath: ByPath | undefined, { to }: Aim): Generator<Entry> {
  if (byPath === undefined) return;
  yield* byPath.get(ANY_PATH) ?? [];
  const [first] = to?.paths ?? [];
  if (first !== undefined) for (const key of keysOver(first)) yield* byPath.get(key) ?? [];
}

function aimKey({ service, pattern }: Aim): string {
  if (service !== null) return serviceKey(service);
  return pattern === null ? ANY : hostKey(pattern);
}

function serviceKey({ scope, name }: ExternalService): string {
  return `service ${scope}/${name}`;
}

function hostKey(pattern: HostPattern): string {
  return `host ${pattern}`;
}

/** The keys of what can cover an aim as a whole. */
function wholeKeys({ service, pattern, owners }: Aim): string[] {
  if (service !== null) return [ANY, serviceKey(service)];
  if (pattern === null) return [ANY];
  return [ANY, ...patternKeys(pattern), ...new Set(owners.map((owner) => serviceKey(owner.service)))];
}

function patternKeys(pattern: HostPattern): string[] {
  return [...coveringPatterns(pattern)].map(hostKey);
}

function speaksFor({ policy }: KnownRule, inner: KnownRule): boolean {
  return policy.scope === "" || policy.scope === inner.policy.scope;
}

/** Of an expression nothing is known but that it comes to the same as itself. */
function whenCovers({ rule: { when } }: KnownRule, { rule: inner }: KnownRule): boolean {
  return when === null || when.text === inner.when?.text;
}

/** Does what the outer entry aims at hold all that the inner aim matches? @see docs/semantics.md §7 on binding */
function aimCovers({ of, aim: outer }: Entry, inner: KnownRule, aim: Aim, owned: HostPattern | null): boolean {
  if (outer.to === null || of.rule.effect === "deny") {
    if (outer.service === null) return true;
    // A deny by service needs the service to be the owner, which a deny by host does not say.
    return aim.service !== null || (inner.rule.effect === "allow" && ownedBy(aim, outer.service));
  }
  if (outer.service !== null) return aim.service !== null || ownedBy(aim, outer.service);
  // An allow by host binds to owners whose pattern covers its own and whom its policy sees.
  const wide = outer.pattern ?? "";
  if (aim.service !== null) return owned === wide && sees(of, aim.service);
  return aim.owners.every(({ service, pattern }) => patternCovers(pattern, wide) && sees(of, service));
}

function ownedBy({ owners }: Aim, { scope, name }: ExternalService): boolean {
  return owners.length > 0 && owners.every(({ service }) => service.scope === scope && service.name === name);
}

function sees({ policy }: KnownRule, { scope }: ExternalService): boolean {
  return scope === "" || scope === policy.scope;
}

/** Does the outer aim ask for nothing that the inner one does not ask for? */
function asksNoMore(outer: Aim, inner: Aim): boolean {
  if (!listCovers(outer.to?.ports ?? null, inner.ports)) return false;
  return conditionsCover(outer.to ?? NO_CONDITIONS, inner.to ?? NO_CONDITIONS);
}
