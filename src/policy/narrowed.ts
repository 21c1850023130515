import type { IdentitySelector, Scope } from "./model.ts";

/** What of a member lies in a namespace, in the mesh's own trust domain: nothing, the member, or the whole namespace. */
export function narrowed(member: IdentitySelector, scope: Scope, own: string): readonly IdentitySelector[] {
  const whole: IdentitySelector = { kind: "namespace", namespace: scope };
  if (member.kind === "namespace") return member.namespace === scope ? [member] : [];
  if (member.trustDomain !== own) return [];
  if (member.kind === "trustDomain") return [whole];
  const base = `/ns/${scope}/sa`;
  if (member.kind === "prefix") return `${base}/`.startsWith(`${member.path}/`) ? [whole] : [];
  const account = member.path.startsWith(`${base}/`) ? member.path.slice(base.length + 1) : "/";
  return account.includes("/") ? [] : [member];
}
