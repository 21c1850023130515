import type { HostPattern, IdentitySelector, SourcePosition } from "../../policy/model.ts";
import type { PolicyFile } from "../../policy/parse-cache.ts";
import { suggest } from "../../policy/suggest.ts";
import type { DocumentPath, SourceDocument, SourceProblem } from "../../policy/yaml-source.ts";
import type { Claim, DraftPolicy, DraftRule } from "../draft.ts";
import { bringHost } from "../hosts.ts";
import type { Imported, ImportOptions } from "../imported.ts";
import { createNames } from "../names.ts";
import type { ImportCode, ImportNote } from "../note.ts";
import { createPatternSet, widest } from "../pattern-set.ts";
import { problemAt, readOne, readShape } from "../read-source.ts";
import { namespaceOf } from "../subjects.ts";
import { type GlobalLists, type Reach, reachOf } from "./reach.ts";
import { readRoles } from "./roles.ts";
import { type SmokescreenAcl, type SmokescreenRule, smokescreenAcl } from "./schema.ts";

interface Context extends ImportOptions {
  readonly source: SourceDocument;
  note(code: ImportCode, path: DocumentPath, message: string): void;
}

/** What is known of a role. */
interface Role {
  readonly name: string;
  readonly rule: SmokescreenRule;
  /** Where its rule stands: `["services", 3]`, `["default"]`. */
  readonly path: DocumentPath;
  readonly members: readonly IdentitySelector[];
  readonly owner: string;
}

/**
 * Smokescreen's ACL as policies. A role is a group of workloads, by `roles`; its own hosts and the global allow list become
 * an allow, of the global deny list what matters to it a deny, its action the group's fallback.
 */
export function importSmokescreen(acl: PolicyFile, rolesFile: PolicyFile | null, options: ImportOptions): Imported {
  const { roles, problems: badRoles, problemOf } = readRoles(rolesFile, options.trustDomain, options.canon);
  const read = readOne(acl);
  const [source] = read.objects;
  if (source === undefined) return { ok: false, problems: [...badRoles, ...read.problems] };
  const shaped = readShape(smokescreenAcl, source);
  const [object] = shaped.objects;
  if (object === undefined) return { ok: false, problems: [...badRoles, ...shaped.problems] };
  const problems: SourceProblem[] = [...badRoles];
  const notes: ImportNote[] = [];
  const note: Context["note"] = (code, path, message) => notes.push({ code, at: source.position(path), message });
  const context: Context = { ...options, source, note };

  const found = rolesOf(object.value, roles, context, problems);
  for (const name of roles.keys()) {
    if (object.value.services.some((each) => each.name === name) || object.value.default != null) continue;
    const meant = suggest(
      name,
      object.value.services.map((each) => each.name),
    );
    const message = `the ACL has neither a rule for role \`${name}\` nor a default rule`;
    const problem = problemOf(name, message, meant);
    if (problem !== null) problems.push(problem);
  }
  if (problems.length > 0) return { ok: false, problems };
  const lists = globalLists(object.value, found, context);
  note("any-port", ["services"], `hosts are allowed on every port: here on ${portsText(options)}`);
  const all = namedRoles(found).map((role) => converted(role, lists, context));
  // Whoever answers for the lists that are for everyone.
  const owner = options.owner ?? object.value.default?.project ?? found[0]?.owner ?? "";
  const policies = [...ownPolicies(all, context), ...sharedPolicies(all, lists, owner, context)];
  const named = new Set(
    policies
      .flatMap(({ rules }) => rules)
      .flatMap(({ from }) => from ?? [])
      .map((each) => (each.kind === "group" ? each.name : "")),
  );
  return {
    ok: true,
    notes,
    set: {
      gateway: { ...options.gateway, trustDomains: [options.trustDomain], selector: {} },
      claims: claimsOf(policies, context),
      groups: all
        .filter(({ title, reach }) => named.has(title) || reach.fallback !== null)
        .map(({ title, members, reach }) => ({ name: title, members, fallback: reach.fallback })),
      policies,
    },
  };
}

/** All that is allowed, on all ports. */
function claimsOf(policies: readonly DraftPolicy[], { ports }: Context): readonly Claim[] {
  const hosts = new Map<HostPattern, SourcePosition>();
  for (const { effect, aims, at } of policies.flatMap(({ rules }) => rules)) {
    if (effect === "allow") for (const { pattern } of aims ?? []) if (!hosts.has(pattern)) hosts.set(pattern, at);
  }
  return [...hosts].flatMap(([pattern, at]) =>
    ports.map(({ number, protocol }) => ({ pattern, port: number, protocol, tls: null, addresses: [], at })),
  );
}

/** The roles that have workloads, each with the rule that Smokescreen would take for it. */
function rolesOf(
  acl: SmokescreenAcl,
  mapped: ReadonlyMap<string, readonly IdentitySelector[]>,
  { owner, source, note }: Context,
  problems: SourceProblem[],
): readonly Role[] {
  const found: Role[] = [];
  const seen = new Set<string>();
  const add = (name: string, rule: SmokescreenRule, path: DocumentPath, members: readonly IdentitySelector[]): void => {
    const answers = rule.project ?? owner;
    if (answers === null || answers === "") {
      const message = `role \`${name}\` has no \`project\`, and somebody has to answer for a policy: name an owner`;
      problems.push(problemAt(source, path, "missing-key", message, "--owner team@example.com"));
    } else found.push({ name, rule, path, members, owner: answers });
  };
  for (const [i, rule] of acl.services.entries()) {
    if (seen.has(rule.name)) {
      const message = `there are two rules for role \`${rule.name}\``;
      problems.push(problemAt(source, ["services", i, "name"], "duplicate-name", message));
    }
    seen.add(rule.name);
    const members = mapped.get(rule.name);
    if (members !== undefined) add(rule.name, rule, ["services", i], members);
    else {
      const message = `role \`${rule.name}\` has no workloads in \`--roles\`, so it is left out`;
      note("role-unmapped", ["services", i, "name"], message);
    }
  }
  const rule = acl.default;
  if (rule == null) return found;
  if (rule.action !== "enforce" || (rule.allowed_domains ?? []).length + (acl.global_allow_list ?? []).length > 0) {
    note("default-rule", ["default"], "workloads without a role in `--roles` are denied everything, not sent here");
  }
  for (const [name, members] of mapped) if (!seen.has(name)) add(name, rule, ["default"], members);
  return found;
}

/** Names for groups and policies: those of the roles, as far as the language takes them. */
function namedRoles(roles: readonly Role[]): readonly (Role & { readonly title: string })[] {
  const name = createNames(["gateway", "services", "groups"]);
  return roles.map((role) => ({ ...role, title: name(role.name) }));
}

function globalLists(acl: SmokescreenAcl, roles: readonly Role[], context: Context): GlobalLists {
  const { canon } = context;
  const allow = broughtHosts(acl.global_allow_list ?? [], ["global_allow_list"], context);
  const own = roles
    .flatMap(({ rule }) => rule.allowed_domains ?? [])
    .map((each) => bringHost(canonicalGlob(each), canon));
  const registered = createPatternSet([...allow, ...own.flatMap((each) => (each.ok ? [each.pattern] : []))]);
  const canDeny = (pattern: HostPattern): boolean => bringHost(pattern, canon).ok;
  const deny = createPatternSet((acl.global_deny_list ?? []).map(canonicalGlob).filter(registered.meets));
  return {
    shared: widest(allow).filter((each) => !deny.covers(each)),
    deny,
    undeniable: deny.all.filter((each) => !canDeny(each)),
    canBeReached: registered.meets,
    canDeny,
  };
}

/** A role with all that comes of it. */
interface Converted extends Role {
  /** Of its group and policies. */
  readonly title: string;
  readonly reach: Reach;
}

function converted(role: Role & { readonly title: string }, lists: GlobalLists, context: Context): Converted {
  const { name, rule, path } = role;
  const { note } = context;
  const mitm = rule.mitm_domains ?? [];
  const addsHeaders = (each: (typeof mitm)[number]): boolean => Object.keys(each.add_headers ?? {}).length > 0;
  for (const [i, each] of mitm.entries()) {
    const here = [...path, "mitm_domains", i];
    if (addsHeaders(each)) {
      note("added-headers", here, `\`${each.domain}\` is left out of role \`${name}\`: it is to see added headers`);
    } else note("request-logging", here, `requests to \`${each.domain}\` are logged by the gateway where it sees them`);
  }
  if ((rule.allowed_external_proxies ?? []).length > 0) {
    const message = `role \`${name}\` may go on through other proxies: here nobody can`;
    note("external-proxy", [...path, "allowed_external_proxies"], message);
  }
  const allowed = broughtHosts(rule.allowed_domains ?? [], [...path, "allowed_domains"], context);
  const headered = mitm.filter(addsHeaders).map((each) => canonicalGlob(each.domain));
  const reach = reachOf({ action: rule.action, allowed, headered }, lists);
  for (const each of reach.leftOut) {
    const message = `\`${each}\` is left out of role \`${name}\`: a deny within it cannot be had without stopping more`;
    note("allow-over-deny", path, message);
  }
  if (reach.closedFor !== null) {
    const message = `action \`${rule.action}\` of role \`${name}\` becomes \`enforce\`: its own hosts and the global deny of \`${reach.closedFor}\` have hosts in common`;
    note("allow-over-deny", [...path, "action"], message);
  } else if (reach.fallback !== null) {
    const message = `action \`${rule.action}\` of role \`${name}\` lets pass what is registered, and nothing else`;
    note("open-role", [...path, "action"], message);
  }
  return { ...role, reach };
}

/** What each role has of its own. What is denied to it is not left to its namespace. */
function ownPolicies(roles: readonly Converted[], { source }: Context): readonly DraftPolicy[] {
  return roles.flatMap(({ title, owner, members, path, reach }) => {
    const at = source.position(path);
    const namespaces = new Set(members.map(namespaceOf));
    const namespace = namespaces.size === 1 ? ([...namespaces][0] ?? null) : null;
    const allow = ruleOf("allow", "allowed-domains", [title], reach.own, at);
    const deny = ruleOf("deny", "added-headers", [title], reach.headered, at);
    return [
      { namespace, name: title, owner, rules: allow },
      { namespace: null, name: `${title}-denies`, owner, rules: deny },
    ].filter(({ rules }) => rules.length > 0);
  });
}

/** The global lists, each rule for all the roles for which it says the same. */
function sharedPolicies(
  roles: readonly Converted[],
  lists: GlobalLists,
  owner: string,
  { source }: Context,
): readonly DraftPolicy[] {
  const rulesFor = (
    effect: "allow" | "deny",
    key: "global_allow_list" | "global_deny_list",
    keyOf: (reach: Reach) => unknown,
    hostsOf: (reach: Reach) => readonly HostPattern[],
  ): DraftPolicy => {
    const alike = new Map<string, Converted[]>();
    for (const role of roles) {
      const text = JSON.stringify(keyOf(role.reach));
      const some = alike.get(text);
      if (some === undefined) alike.set(text, [role]);
      else some.push(role);
    }
    const name = key.replaceAll("_", "-");
    const rules = [...alike.values()].flatMap((some) => {
      const [first] = some;
      const hosts = first === undefined ? [] : hostsOf(first.reach);
      const titles = some.map(({ title }) => title);
      return ruleOf(effect, name, titles, hosts, source.position([key]));
    });
    return { namespace: null, name, owner, rules };
  };
  const left = ({ without }: Reach): readonly HostPattern[] => {
    const out = new Set(without);
    return lists.shared.filter((each) => !out.has(each));
  };
  const denied = (reach: Reach): readonly HostPattern[] => {
    const spared = new Set(reach.spared);
    const all = reach.fallback === null ? left(reach).flatMap((each) => lists.deny.below(each)) : lists.deny.all;
    return all.filter((each) => !spared.has(each) && lists.canDeny(each));
  };
  return [
    rulesFor("allow", "global_allow_list", ({ without }) => without, left),
    rulesFor(
      "deny",
      "global_deny_list",
      ({ fallback, without, spared }) => [fallback !== null, without, spared],
      denied,
    ),
  ].filter(({ rules }) => rules.length > 0);
}

function ruleOf(
  effect: "allow" | "deny",
  name: string,
  groups: readonly string[],
  hosts: readonly HostPattern[],
  at: SourcePosition,
): readonly DraftRule[] {
  if (hosts.length === 0) return [];
  const aims = widest(hosts).map((pattern) => ({ pattern, ports: null, protocol: null }));
  const from = groups.map((each) => ({ kind: "group" as const, name: each }));
  return [{ name, effect, from, aims, methods: null, paths: null, headers: null, at }];
}

function broughtHosts(globs: readonly string[], path: DocumentPath, { canon, note }: Context): readonly HostPattern[] {
  return globs.flatMap((glob, i) => {
    const brought = bringHost(canonicalGlob(glob), canon);
    if (brought.ok) return [brought.pattern];
    note(brought.code, [...path, i], `left out: ${brought.why}`);
    return [];
  });
}

/** Smokescreen compares in lower case and without the trailing dot. */
function canonicalGlob(glob: string): HostPattern {
  return glob.toLowerCase().replace(/\.+$/, "");
}

function portsText({ ports }: ImportOptions): string {
  return ports.map(({ number, protocol }) => `${number} (${protocol})`).join(" and ");
}
