import { z } from "zod";
import { LIMITS } from "../limits.ts";
import { documentOf, fallback, nonEmpty, text } from "./common.ts";

/** Exactly one of its keys; which, is checked after the shape. */
export const identitySelector = z.strictObject({
  serviceAccount: text.optional().describe("`namespace/name` in the mesh's own trust domain."),
  namespace: text.optional(),
  spiffe: text.optional().describe("A SPIFFE ID, or one ending in `/*`."),
  trustDomain: text.optional(),
});

const spec = z.strictObject({
  members: nonEmpty(identitySelector, LIMITS.membersPerGroup),
  fallback: fallback.optional().describe("Overrides the gateway's fallback for these workloads. Root only."),
});

/** A named set of workloads. */
export const identityGroup = documentOf("IdentityGroup", spec);
export type IdentityGroupSpec = z.output<typeof spec>;
