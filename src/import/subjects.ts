import type { Canonicaliser } from "../policy/canonicaliser.ts";
import type { IdentitySelector } from "../policy/model.ts";
import { fail, ok, type Result } from "../policy/result.ts";
import { parseSpiffeSelector } from "../policy/spiffe-selector.ts";
import { parseName } from "../policy/token.ts";

/** A selector as a document writes it. */
export interface SelectorSpec {
  readonly serviceAccount?: string | undefined;
  readonly namespace?: string | undefined;
  readonly spiffe?: string | undefined;
  readonly trustDomain?: string | undefined;
}

/** Reads a selector: exactly one of the keys. */
export function readSelector(spec: SelectorSpec, trustDomain: string, canon: Canonicaliser): Result<IdentitySelector> {
  if (Object.values(spec).filter((each) => each !== undefined).length !== 1) {
    return fail("a selector has one of `serviceAccount`, `namespace`, `spiffe`, `trustDomain`");
  }
  if (spec.namespace !== undefined) {
    const name = parseName(spec.namespace);
    return name.ok ? ok({ kind: "namespace", namespace: name.value }) : name;
  }
  if (spec.trustDomain !== undefined) {
    if (spec.trustDomain === trustDomain) return ok({ kind: "trustDomain", trustDomain });
    return fail(`\`${spec.trustDomain}\` is not the mesh's own trust domain`, trustDomain);
  }
  if (spec.serviceAccount !== undefined) {
    const match = /^([^/]+)\/([^/]+)$/.exec(spec.serviceAccount);
    const id = canon.spiffeId(`spiffe://${trustDomain}/ns/${match?.[1]}/sa/${match?.[2]}`);
    if (match === null || id === null) return fail(`\`${spec.serviceAccount}\` is not \`namespace/serviceaccount\``);
    return ok({ kind: "id", ...id });
  }
  const parsed = parseSpiffeSelector(spec.spiffe ?? "", canon);
  if (!parsed.ok) return parsed;
  if (parsed.value.trustDomain !== trustDomain) {
    return fail(`\`${spec.spiffe}\` is not of the mesh's own trust domain \`${trustDomain}\``);
  }
  return parsed;
}

/** The selector of a document that means these workloads. */
export function writeSelector(selector: IdentitySelector): SelectorSpec {
  switch (selector.kind) {
    case "namespace":
      return { namespace: selector.namespace };
    case "trustDomain":
      return { trustDomain: selector.trustDomain };
    case "prefix":
      return { spiffe: `spiffe://${selector.trustDomain}${selector.path}/*` };
    case "id": {
      const account = /^\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(selector.path);
      if (account !== null) return { serviceAccount: `${account[1]}/${account[2]}` };
      return { spiffe: `spiffe://${selector.trustDomain}${selector.path}` };
    }
  }
}

/** The one namespace that a selector stays within, or null. */
export function namespaceOf(selector: IdentitySelector): string | null {
  if (selector.kind === "namespace") return selector.namespace;
  if (selector.kind !== "id") return null;
  return /^\/ns\/([^/]+)\/sa\/[^/]+$/.exec(selector.path)?.[1] ?? null;
}

/** Does `outer` mean every workload that `inner` means? All are of one trust domain. */
export function selectorCovers(outer: IdentitySelector, inner: IdentitySelector): boolean {
  if (outer.kind === "trustDomain") return true;
  if (inner.kind === "trustDomain") return false;
  if (outer.kind === "namespace") return namespaceOf(inner) === outer.namespace;
  if (outer.kind === "id") return inner.kind === "id" && inner.path === outer.path;
  const path = inner.kind === "namespace" ? `/ns/${inner.namespace}/sa/x` : inner.path;
  if (inner.kind === "prefix" && path === outer.path) return true;
  return path.startsWith(`${outer.path}/`);
}

/** Is there a workload that both mean? Of two selectors one covers the other, or they have nothing in common. */
export function selectorsMeet(one: IdentitySelector, other: IdentitySelector): boolean {
  return selectorCovers(one, other) || selectorCovers(other, one);
}
