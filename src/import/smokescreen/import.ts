import type { HostPattern, IdentitySelector, SourcePosition } from "../../policy/model.ts";
import type { PolicyFile } from "../../policy/parse-cache.ts";
import { suggest } from "../../policy/suggest.ts";
import type { DocumentPath, SourceDocument, SourceProblem } from "../../policy/yaml-source.ts";
import type { Claim, DraftGroup, DraftPolicy, DraftRule } from "../draft.ts";
import { bringHost, patternsMeet, widest } from "../hosts.ts";
import type { Imported, ImportOptions } from "../imported.ts";
import { createNames } from "../names.ts";
import type { ImportCode, ImportNote } from "../note.ts";
import { problemAt, readOne, readShape } from "../read-source.ts";
import { namespaceOf } from "../subjects.ts";
import { reachOf } from "./reach.ts";
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
  const parts = namedRoles(found).map((role) => convert(role, lists, context));
  return {
    ok: true,
    notes,
    set: {
      gateway: { ...options.gateway, trustDomains: [options.trustDomain], selector: {} },
      claims: parts.flatMap(({ claims }) => claims),
      groups: parts.flatMap(({ group }) => (group === null ? [] : [group])),
      policies: parts.flatMap(({ policies }) => policies),
    },
  };
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

interface Lists {
  readonly allow: readonly HostPattern[];
  readonly deny: readonly HostPattern[];
  /** May a host that the pattern matches be registered? Others are reached by nobody. */
  canBeReached(pattern: HostPattern): boolean;
}

function globalLists(acl: SmokescreenAcl, roles: readonly Role[], context: Context): Lists {
  const allow = broughtHosts(acl.global_allow_list ?? [], ["global_allow_list"], context);
  const own = roles
    .flatMap(({ rule }) => rule.allowed_domains ?? [])
    .map((each) => bringHost(canonicalGlob(each), context.canon));
  const registered = widest([...allow, ...own.flatMap((each) => (each.ok ? [each.pattern] : []))]);
  const canBeReached = (pattern: HostPattern): boolean => registered.some((each) => patternsMeet(each, pattern));
  return { allow, deny: (acl.global_deny_list ?? []).map(canonicalGlob), canBeReached };
}

interface Part {
  readonly claims: readonly Claim[];
  readonly group: DraftGroup | null;
  readonly policies: readonly DraftPolicy[];
}

function convert(role: Role & { readonly title: string }, lists: Lists, context: Context): Part {
  const { name, title, rule, path, members, owner } = role;
  const { canon, note, source, ports } = context;
  const mitm = rule.mitm_domains ?? [];
  for (const [i, each] of mitm.entries()) {
    const here = [...path, "mitm_domains", i];
    if (Object.keys(each.add_headers ?? {}).length > 0) {
      note("added-headers", here, `\`${each.domain}\` is left out of role \`${name}\`: it is to see added headers`);
    } else note("request-logging", here, `requests to \`${each.domain}\` are logged by the gateway where it sees them`);
  }
  if ((rule.allowed_external_proxies ?? []).length > 0) {
    const message = `role \`${name}\` may go on through other proxies: here nobody can`;
    note("external-proxy", [...path, "allowed_external_proxies"], message);
  }
  const canDeny = (pattern: HostPattern): boolean => bringHost(pattern, canon).ok;
  const reach = reachOf(
    {
      action: rule.action,
      allowed: broughtHosts(rule.allowed_domains ?? [], [...path, "allowed_domains"], context),
      headered: mitm
        .filter((each) => Object.keys(each.add_headers ?? {}).length > 0)
        .map((each) => canonicalGlob(each.domain))
        .filter(lists.canBeReached),
      globalAllow: lists.allow,
      globalDeny: lists.deny.filter(lists.canBeReached),
    },
    canDeny,
  );
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
  const at = source.position(path);
  const rules = (effect: "allow" | "deny", hosts: readonly HostPattern[]): readonly DraftRule[] =>
    hosts.length === 0 ? [] : [ruleOf(effect, title, widest(hosts), at)];
  const namespaces = new Set(members.map(namespaceOf));
  const namespace = namespaces.size === 1 ? ([...namespaces][0] ?? null) : null;
  const policies: DraftPolicy[] = [
    { namespace, name: title, owner, rules: rules("allow", reach.allow) },
    // What the security team denies is not left to the namespace.
    { namespace: null, name: `${title}-denies`, owner, rules: rules("deny", reach.deny) },
  ];
  const used = reach.fallback !== null || policies.some((policy) => policy.rules.length > 0);
  return {
    claims: reach.allow.flatMap((pattern) =>
      ports.map(({ number, protocol }) => ({ pattern, port: number, protocol, tls: null, addresses: [], at })),
    ),
    group: used ? { name: title, members, fallback: reach.fallback } : null,
    policies,
  };
}

function ruleOf(effect: "allow" | "deny", group: string, hosts: readonly HostPattern[], at: SourcePosition): DraftRule {
  return {
    name: effect === "allow" ? "allowed-domains" : "denied-domains",
    effect,
    from: [{ kind: "group", name: group }],
    aims: hosts.map((pattern) => ({ pattern, ports: null, protocol: null })),
    methods: null,
    paths: null,
    headers: null,
    at,
  };
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
