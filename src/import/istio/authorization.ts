import type { z } from "zod";
import type { Claim, DraftRule } from "../draft.ts";
import type { ImportOptions } from "../imported.ts";
import type { ObjectOf } from "../read-objects.ts";
import { type Atom, atomsOf, type RuleOrigin, type Tell } from "./allow.ts";
import { everyone } from "./approximate.ts";
import { type Denied, denyOf } from "./deny.ts";
import { type Gateway, holdsAt } from "./gateway.ts";
import { matchesOf } from "./match.ts";
import type { Note } from "./mesh.ts";
import type { authorizationPolicy } from "./schema.ts";

/** An AuthorizationPolicy. */
export type Policy = ObjectOf<z.output<typeof authorizationPolicy>>;

/** What policies say, before the bounds of denies are laid on what is allowed. */
export interface Said {
  readonly atoms: readonly Atom[];
  readonly denied: {
    readonly rules: readonly (DraftRule & { readonly policy: string })[];
    readonly restrictions: Denied["restrictions"];
  };
}

/** What the policies that hold at the gateway allow and deny. */
export function authorizationOf(
  policies: readonly Policy[],
  gateway: Gateway,
  claims: readonly Claim[],
  options: ImportOptions,
  note: Note,
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
  const whole = { methods: null, paths: null, headers: null, byName: false, rule };
  const all = claims.map((claim): Atom => ({ from: everyone(options), pattern: claim.pattern, claim, ...whole }));
  return { atoms: all, denied: { rules: [...rules.values()], restrictions } };
}
