import type { PolicyFile } from "../../policy/parse-cache.ts";
import type { SourceProblem } from "../../policy/yaml-source.ts";
import type { DraftPolicy, DraftRule } from "../draft.ts";
import { type Imported, type ImportOptions, ownerOf } from "../imported.ts";
import type { ImportNote } from "../note.ts";
import { placed } from "../place.ts";
import { nothingOf, type ObjectSource, objectsOf, readObjects } from "../read-objects.ts";
import { problemAt } from "../read-source.ts";
import type { Atom } from "./allow.ts";
import { authorizationOf, type Policy } from "./authorization.ts";
import { isDenied, restricted } from "./deny.ts";
import { type Gateway, gatewayOf, isElsewhere } from "./gateway.ts";
import { type Note, readMesh } from "./mesh.ts";
import { allowRules } from "./regroup.ts";
import { authorizationPolicy } from "./schema.ts";

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
  const note: Note = (code, at, message) => {
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

function tellUnread(all: readonly ObjectSource[], note: Note): void {
  for (const { group, kind, namespace, name, source } of all) {
    if (!Object.hasOwn(UNREAD, kind) || UNREAD[kind] !== group) continue;
    note("kind-not-read", source.position([]), `${kind} \`${namespace}/${name}\` may stop more: it is not read`);
  }
}
