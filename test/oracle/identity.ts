/** The oracle, part 2: docs/semantics.md §2 and "Identity shapes" of §7. Who asks, and which selectors see it. */
import { type Group, named, type Selector, type World } from "./documents.ts";

/** `spiffeId` has its alias mapped; `namespace` is set for own-domain identities `/ns/<ns>/sa/<sa>` only. */
export interface Subject {
  readonly spiffeId: string;
  readonly trustDomain: string;
  readonly path: string;
  readonly own: boolean;
  readonly namespace: string | null;
}

/** One SPIFFE ID by the grammar, else null. */
function parseSpiffeId(text: string): { trustDomain: string; path: string } | null {
  const [, trustDomain, path] = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)*)$/.exec(text) ?? [];
  if (trustDomain === undefined || path === undefined || text.length > 2048) return null;
  return path.split("/").some((segment) => segment === "." || segment === "..") ? null : { trustDomain, path };
}

/** An alias means the mesh's own (first) domain. */
function withoutAlias(world: World, trustDomain: string): string {
  return world.trustDomains.includes(trustDomain) ? (world.trustDomains[0] ?? "") : trustDomain;
}

/** The subject of a principal: null when there is none; the refusal, if it is refused (§2, first points). */
export function identify(
  world: World,
  principal: string,
): { subject: Subject | null; refusal: "no-identity" | "invalid-identity" | "foreign-trust-domain" | null } {
  if (principal === "") return { subject: null, refusal: "no-identity" };
  const parsed = parseSpiffeId(principal);
  if (parsed === null) return { subject: null, refusal: "invalid-identity" };
  const { path } = parsed;
  const trustDomain = withoutAlias(world, parsed.trustDomain);
  const own = trustDomain === world.trustDomains[0];
  const [, namespace] = /^\/ns\/([^/]+)\/sa\/[^/]+$/.exec(path) ?? [];
  const subject = {
    ...{ trustDomain, path, own },
    spiffeId: `spiffe://${trustDomain}${path}`,
    namespace: own ? (namespace ?? null) : null,
  };
  return { subject, refusal: own || world.federated.includes(trustDomain) ? null : "foreign-trust-domain" };
}

/** Is something of this scope visible to the subject? (§1) */
export function visibleTo(subject: Subject, scope: string): boolean {
  return scope === "" || scope === subject.namespace;
}

/** Does a selector, written in a document of `scope`, hold the subject? */
export function selects(world: World, scope: string, selector: Selector, subject: Subject): boolean {
  // A namespace's documents hold their own workloads only.
  if (!visibleTo(subject, scope)) return false;
  if (selector.group !== undefined) {
    const group = named(world.groups, scope, selector.group);
    return group !== null && holds(world, group, subject);
  }
  if (selector.namespace !== undefined) return subject.namespace === selector.namespace;
  if (selector.serviceAccount !== undefined) {
    const [namespace, serviceAccount] = selector.serviceAccount.split("/");
    return subject.own && subject.path === `/ns/${namespace}/sa/${serviceAccount}`;
  }
  if (selector.trustDomain !== undefined) return subject.trustDomain === withoutAlias(world, selector.trustDomain);
  if (selector.spiffe === undefined) throw new Error("a selector has one key");
  const below = selector.spiffe.endsWith("/*");
  const literal = parseSpiffeId(below ? selector.spiffe.slice(0, -2) : selector.spiffe);
  if (literal === null) throw new Error(`not a SPIFFE ID: ${selector.spiffe}`);
  if (subject.trustDomain !== withoutAlias(world, literal.trustDomain)) return false;
  return below ? subject.path.startsWith(`${literal.path}/`) : subject.path === literal.path;
}

/** Is the subject in the group? A group of a namespace holds only workloads of that namespace. */
export function holds(world: World, group: Group, subject: Subject): boolean {
  return group.members.some((member) => selects(world, group.scope, member, subject));
}
