import { hostOf, type SyntheticShape, serviceOf, shapeOf, workloadOf } from "../synthetic-set.ts";

/** The one request that is sent again and again at a size. */
export interface Question {
  readonly principal: string;
  readonly host: string;
  readonly path: string;
}

/** A caller that no rule names. */
export const STRANGER = "spiffe://cluster.local/ns/nobody/sa/nobody";

/** The set's shape at a size: one service more than workloads, so that a workload's rules lead to different hosts. */
export function shapeAt(rules: number): SyntheticShape {
  const shape = shapeOf(rules);
  return { ...shape, services: shape.workloads + 1 };
}

/** Who may do what by one rule of the set. */
export function allowedBy(shape: SyntheticShape, rule: number): Omit<Question, "path"> {
  const { namespace, serviceAccount } = workloadOf(rule % shape.workloads);
  return {
    principal: `spiffe://cluster.local/ns/${namespace}/sa/${serviceAccount}`,
    host: hostOf(serviceOf(shape, rule)),
  };
}

/**
 * What the rule in the middle of the set allows: half of the others are looked at first by who reads them one by one.
 * Each fourth rule names port, method and path; it is one of those at every size, so that sizes can be compared.
 */
export function questionAt(rules: number): Question {
  const middle = Math.floor(rules / 2);
  const rule = middle + ((3 - (middle % 4) + 4) % 4);
  return { ...allowedBy(shapeAt(rules), rule), path: `/v${rule % 50}/charges` };
}
