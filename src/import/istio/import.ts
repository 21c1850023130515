import { coveringPatterns, patternCovers } from "../../policy/host-pattern.ts";
import type { HostPattern } from "../../policy/model.ts";
import type { PolicyFile } from "../../policy/parse-cache.ts";
import type { SourceProblem } from "../../policy/yaml-source.ts";
import { idleAssumptions, isAssumedOpen } from "../assumed.ts";
import type { DraftPolicy, DraftRule } from "../draft.ts";
import { type Imported, type ImportOptions, ownerOf } from "../imported.ts";
import type { ImportNote } from "../note.ts";
import { placed } from "../place.ts";
import { nothingOf, objectsOf, readObjects } from "../read-objects.ts";
import { problemAt } from "../read-source.ts";
import { heed, withholding } from "../withheld.ts";
import type { Atom } from "./allow.ts";
import { authorizationOf, type Policy } from "./authorization.ts";
import { isDenied, restricted } from "./deny.ts";
import type { Way } from "./extensions.ts";
import { type Gateway, gatewayOf, isElsewhere } from "./gateway.ts";
import { type Mesh, type Note, readMesh } from "./mesh.ts";
import { detoursOf, obstaclesOf, waypointPolicies } from "./obstacles.ts";
import { allowRules } from "./regroup.ts";
import { stopsOf, throughRoutes } from "./route-bounds.ts";
import { type Routes, routeBoundsOf } from "./routes.ts";
import { authorizationPolicy } from "./schema.ts";

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
  problems.push(...idleAssumptions(options.assumed, all.objects));
  const owner = ownerOf(options, problems);
  if (gateway !== null) problems.push(...misplaced(policies.objects, gateway));
  if (owner === null || gateway === null || problems.length > 0) return { ok: false, problems };
  const way: Way = { gateway, claims: mesh.claims, entryOf: mesh.entryOf, identities: options };
  const obstacles = [
    ...obstaclesOf(all.objects, way, options, problems),
    ...detoursOf(mesh.entries, mesh.rules, way),
    ...waypointPolicies(policies.objects, way),
  ];
  if (problems.length > 0) return { ok: false, problems };
  const withheld = heed(obstacles, options.assumed, note);
  const routes = routesOf(mesh, gateway, options, note);
  const bounds = new Map(mesh.claims.map((claim) => [claim, routeBoundsOf(claim, routes)]));
  const stops = [...bounds].flatMap(([claim, some]) => stopsOf(claim, some));

  const apart = new Set(
    mesh.claims.filter((each) => each.apart !== undefined).map((each) => keyOf(each.pattern, each.port)),
  );
  // A host that is told apart from the wildcard over it has allows of its own.
  const isOfAnother = ({ pattern, claim }: Atom): boolean =>
    [...coveringPatterns(pattern)].some(
      (each) => apart.has(keyOf(each, claim.port)) && each !== claim.pattern && patternCovers(claim.pattern, each),
    );

  const said = authorizationOf(policies.objects, gateway, mesh.claims, options, note);
  const denies = [...said.denied.rules, ...stops];
  const atoms = said.atoms
    .flatMap((atom) =>
      said.denied.restrictions.reduce<readonly Atom[]>(
        (some, bound) => some.flatMap((each) => restricted(each, bound)),
        [atom],
      ),
    )
    .flatMap((atom) =>
      throughRoutes(atom, bounds.get(atom.claim) ?? [], (code, message) => note(code, atom.rule.at, message)),
    )
    .filter((atom) => !isOfAnother(atom))
    .flatMap((atom) => {
      const { from, exact } = mesh.seenBy(atom.claim, atom.from);
      if (!exact) {
        const message = `of those that \`${atom.rule.name}\` lets to \`${atom.pattern}\`, only namespaces named here are known to see it`;
        note("not-seen-everywhere", atom.rule.at, message);
      }
      return from.map((each) => ({ ...atom, from: each }));
    })
    .filter((atom) => !isDenied(atom, denies));
  const drafts = new Map<string, DraftRule[]>();
  for (const [name, rule] of [...allowRules(atoms), ...denies.map((each) => [each.policy, each] as const)]) {
    drafts.set(name, [...(drafts.get(name) ?? []), rule]);
  }
  const drafted = [...drafts].flatMap(([name, rules]): readonly DraftPolicy[] => placed(name, owner, rules));
  return {
    ok: true,
    notes,
    set: {
      gateway: { ...options.gateway, trustDomains: [options.trustDomain], selector: gateway.labels },
      claims: mesh.claims,
      groups: [],
      policies: withholding(drafted, withheld, mesh.claims, owner),
    },
  };
}

function keyOf(pattern: HostPattern, port: number): string {
  return `${pattern} ${port}`;
}

/** The routes of a mesh, and what there is for them to lead to. */
function routesOf({ services, entries, rules }: Mesh, gateway: Gateway, options: ImportOptions, note: Note): Routes {
  const ports = new Map<string, Set<number>>();
  for (const { spec } of entries) {
    for (const host of spec.hosts.map((each) => each.toLowerCase())) {
      ports.set(host, new Set([...(ports.get(host) ?? []), ...(spec.ports ?? []).map(({ number }) => number)]));
    }
  }
  const assumed = services.filter((each) => isAssumedOpen(each, options.assumed));
  for (const { namespace, name, at } of assumed) {
    note(
      "assumed-open",
      at(),
      `what routes of \`${namespace}/${name}\` stop was not read: by \`--assume-open\` it refuses nothing`,
    );
  }
  const hasSubset = (host: string, subset: string): boolean =>
    rules.some(
      (rule) =>
        rule.spec.host.toLowerCase() === host &&
        (rule.spec.subsets ?? []).some(({ name, labels }) => name === subset && Object.keys(labels ?? {}).length === 0),
    );
  return {
    services,
    entrances: gateway.entrances,
    there: { gateway: options.gateway, ports, hasSubset },
    identities: options,
    isAssumed: (service) => assumed.includes(service),
    note,
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
