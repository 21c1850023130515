import type { z } from "zod";
import type { PolicyFile } from "../../policy/parse-cache.ts";
import type { SourceProblem } from "../../policy/yaml-source.ts";
import type { Aim, DraftPolicy, DraftRule } from "../draft.ts";
import { type Imported, type ImportOptions, ownerOf } from "../imported.ts";
import type { ImportCode, ImportNote } from "../note.ts";
import { placed } from "../place.ts";
import { nothingOf, type ObjectOf, type ObjectSource, objectsOf, readObjects } from "../read-objects.ts";
import { problemAt } from "../read-source.ts";
import { type Atom, atomsOf, type RuleOrigin, type Tell } from "./allow.ts";
import { everyone } from "./approximate.ts";
import { type Denied, denyOf, isDenied, restricted } from "./deny.ts";
import { type Gateway, gatewayOf, holdsAt, isElsewhere } from "./gateway.ts";
import { matchesOf } from "./match.ts";
import { readMesh } from "./mesh.ts";
import { authorizationPolicy } from "./schema.ts";

type Policy = ObjectOf<z.output<typeof authorizationPolicy>>;

/** Kinds that may stop traffic and are not read. */
const UNREAD: Readonly<Record<string, string>> = {
  RequestAuthentication: "security.istio.io",
  EnvoyFilter: "networking.istio.io",
  WasmPlugin: "extensions.istio.io",
  TrafficExtension: "extensions.istio.io",
};

/**
 * Istio's registry as services, and the AuthorizationPolicies of the egress gateway as policies. What the sidecars do not know
 * is not opened to them.
 * @param labels Of the gateway's pods; null = those that a Gateway object selects.
 */
export function importIstio(
  files: readonly PolicyFile[],
  labels: Readonly<Record<string, string>> | null,
  options: ImportOptions,
): Imported {
  const all = readObjects(files);
  const problems: SourceProblem[] = [...all.problems];
  const notes: ImportNote[] = [];
  const note = (code: ImportCode, at: ImportNote["at"], message: string): void => {
    notes.push({ code, at, message });
  };
  const mesh = readMesh(all.objects, options, problems, note);
  const policies = objectsOf(all.objects, "security.istio.io", "AuthorizationPolicy", authorizationPolicy);
  problems.push(...policies.problems);
  const gateway = gatewayOf(all.objects, labels, options.gateway.namespace, problems);
  if (problems.length === 0 && mesh.claims.length + policies.objects.length === 0) {
    problems.push(nothingOf("ServiceEntry and no AuthorizationPolicy"));
  }
  const owner = ownerOf(options, problems);
  if (gateway !== null) problems.push(...misplaced(policies.objects, gateway));
  if (owner === null || gateway === null || problems.length > 0) return { ok: false, problems };
  tellUnread(all.objects, note);

  const said = authorizationOf(policies.objects, gateway, mesh.claims, options, note);
  const atoms = said.atoms
    .flatMap((atom) =>
      said.denied.restrictions.reduce<readonly Atom[]>(
        (some, bound) => some.flatMap((each) => restricted(each, bound)),
        [atom],
      ),
    )
    .flatMap((atom) => {
      const { from, exact } = mesh.seenBy(atom.claim, atom.from);
      if (!exact) {
        const message = `of those that \`${atom.rule.name}\` lets to \`${atom.pattern}\`, only namespaces named here are known to see it`;
        note("not-seen-everywhere", atom.rule.at, message);
      }
      return from.map((each) => ({ ...atom, from: each }));
    })
    .filter((atom) => !isDenied(atom, said.denied.rules));
  const drafts = new Map<string, DraftRule[]>();
  for (const [name, rule] of [...allowRules(atoms), ...said.denied.rules.map((each) => [each.policy, each] as const)]) {
    drafts.set(name, [...(drafts.get(name) ?? []), rule]);
  }
  return {
    ok: true,
    notes,
    set: {
      gateway: { ...options.gateway, trustDomains: [options.trustDomain], selector: gateway.labels },
      claims: mesh.claims,
      groups: [],
      policies: [...drafts].flatMap(([name, rules]): readonly DraftPolicy[] => placed(name, owner, rules)),
    },
  };
}

function misplaced(policies: readonly Policy[], gateway: Gateway): readonly SourceProblem[] {
  return policies
    .filter((policy) => isElsewhere(policy, gateway))
    .map(({ namespace, source }) => {
      const message = `this policy is for pods with the gateway's labels in \`${namespace}\`, and the gateway is said to be in \`${gateway.namespace}\``;
      return problemAt(source, ["spec", "selector"], "unknown-value", message, `--gateway ${namespace}/egress`);
    });
}

interface Said {
  readonly atoms: readonly Atom[];
  readonly denied: {
    readonly rules: readonly (DraftRule & { readonly policy: string })[];
    readonly restrictions: Denied["restrictions"];
  };
}

/** What the policies that hold at the gateway allow and deny. */
function authorizationOf(
  policies: readonly Policy[],
  gateway: Gateway,
  claims: Parameters<typeof atomsOf>[2],
  options: ImportOptions,
  note: (code: ImportCode, at: ImportNote["at"], message: string) => void,
): Said {
  const atoms: Atom[] = [];
  // What ours have no word for can make two ways to match alike.
  const rules = new Map<string, DraftRule & { readonly policy: string }>();
  const restrictions: Denied["restrictions"][number][] = [];
  let open = true;
  for (const policy of policies) {
    const { action } = policy.spec;
    const holds = holdsAt(policy, gateway);
    if (holds === "no") {
      note(
        "not-for-the-gateway",
        policy.at(),
        `AuthorizationPolicy \`${policy.namespace}/${policy.name}\` is not for the egress gateway`,
      );
      continue;
    }
    if (action === "AUDIT" || policy.annotations["istio.io/dry-run"] === "true") {
      note("decides-nothing", policy.at(), `\`${policy.name}\` only tells what it would do`);
      continue;
    }
    if (action === "ALLOW") open = false;
    if (action === "ALLOW" && holds === "perhaps") {
      note(
        "perhaps-the-gateway",
        policy.at(),
        `whether \`${policy.name}\` is for the egress gateway cannot be told: its allows are left out`,
      );
      continue;
    }
    if (action === "CUSTOM") {
      note(
        "custom-action",
        policy.at(),
        `who decides for \`${policy.name}\` is not known here: what it matches is denied`,
      );
    }
    for (const [i, rule] of (policy.spec.rules ?? []).entries()) {
      const name = (policy.spec.rules ?? []).length === 1 ? policy.name : `${policy.name}-${i + 1}`;
      const origin: RuleOrigin = { policy: policy.name, name, namespace: policy.namespace, at: policy.at("rules", i) };
      for (const match of matchesOf(rule)) {
        const tell: Tell = (code, message) => note(code, policy.at("rules", i, ...match.path), message);
        if (action === "ALLOW") atoms.push(...atomsOf(match, origin, claims, options, tell));
        else {
          const denied = denyOf(match, origin, claims, options, tell);
          for (const each of denied.rules) rules.set(JSON.stringify(each), { ...each, policy: policy.name });
          restrictions.push(...denied.restrictions);
        }
      }
    }
  }
  if (!open) return { atoms, denied: { rules: [...rules.values()], restrictions } };
  // Istio lets pass what nobody denies, as long as no policy allows anything.
  const at = claims[0]?.at ?? { file: ".", line: 1, column: 1 };
  note(
    "no-allow-policy",
    at,
    "no AuthorizationPolicy of the gateway allows anything, so all may pass that none denies: here the mesh's workloads",
  );
  const rule: RuleOrigin = { policy: "no-allow-policy", name: "all", namespace: "", at };
  const whole = { methods: null, paths: null, headers: null, rule };
  const all = claims.map((claim): Atom => ({ from: everyone(options), pattern: claim.pattern, claim, ...whole }));
  return { atoms: all, denied: { rules: [...rules.values()], restrictions } };
}

/** Atoms of a rule that say the same of the same workloads, together. */
function allowRules(atoms: readonly Atom[]): readonly (readonly [string, DraftRule])[] {
  const byConditions = new Map<
    string,
    { first: Atom; subjects: Map<string, { from: Atom["from"]; aims: Map<string, Aim> }> }
  >();
  for (const atom of atoms) {
    const { rule, methods, paths, headers } = atom;
    const key = JSON.stringify([rule.policy, rule.name, methods, paths, headers]);
    const group = byConditions.get(key) ?? { first: atom, subjects: new Map() };
    byConditions.set(key, group);
    const who = JSON.stringify(atom.from);
    const subject = group.subjects.get(who) ?? { from: atom.from, aims: new Map<string, Aim>() };
    group.subjects.set(who, subject);
    const aim: Aim = { pattern: atom.pattern, ports: [atom.claim.port], protocol: atom.claim.protocol };
    subject.aims.set(JSON.stringify(aim), aim);
  }
  return [...byConditions.values()].flatMap(({ first, subjects }) => {
    const byAims = new Map<string, { from: Atom["from"][]; aims: readonly Aim[] }>();
    for (const { from, aims } of subjects.values()) {
      const key = JSON.stringify([...aims.keys()]);
      const group = byAims.get(key) ?? { from: [], aims: [...aims.values()] };
      byAims.set(key, group);
      group.from.push(from);
    }
    return [...byAims.values()].map(({ from, aims }): readonly [string, DraftRule] => {
      const { rule, methods, paths, headers } = first;
      return [rule.policy, { name: rule.name, effect: "allow", from, aims, methods, paths, headers, at: rule.at }];
    });
  });
}

function tellUnread(
  all: readonly ObjectSource[],
  note: (code: ImportCode, at: ImportNote["at"], message: string) => void,
): void {
  for (const { group, kind, namespace, name, source } of all) {
    if (!Object.hasOwn(UNREAD, kind) || UNREAD[kind] !== group) continue;
    note("kind-not-read", source.position([]), `${kind} \`${namespace}/${name}\` may stop more: it is not read`);
  }
}
