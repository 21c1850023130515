import type { PolicySet } from "../../../src/policy/model.ts";
import { hostOf, serviceOf, shapeOf, syntheticSet, workloadOf } from "../synthetic-set.ts";

/** So many rules, and a request that the middle one allows. */
export interface SizedRules {
  readonly set: PolicySet;
  readonly principal: string;
  readonly host: string;
  /** The same rules for `envoy.filters.http.rbac`. */
  readonly rbac: object;
}

export function sizedRules(count: number): SizedRules {
  const shape = shapeOf(count);
  const set = syntheticSet(shape);
  // A rule of a host and a workload alone.
  const middle = Math.floor(count / 2) - (Math.floor(count / 2) % 4);
  const { namespace, serviceAccount } = workloadOf(middle % shape.workloads);
  return {
    set,
    principal: `spiffe://cluster.local/ns/${namespace}/sa/${serviceAccount}`,
    host: hostOf(serviceOf(shape, middle)),
    rbac: rbacOf(set),
  };
}

/** One policy a rule, by its number. Windows have no counterpart. */
function rbacOf(set: PolicySet): object {
  const hosts = new Map(set.services.map(({ name, hosts: [host = ""] }) => [name, host]));
  const policies = set.policies.flatMap(({ rules }) =>
    rules.map(({ name, from, to }) => {
      const [who] = from ?? [];
      const [target] = to ?? [];
      const path = who !== undefined && "path" in who ? who.path : "";
      const matches = [
        header(":authority", { exact: hosts.get(target?.service?.name ?? "") ?? "" }),
        ...(target?.methods == null ? [] : [or(target.methods.map((exact) => header(":method", { exact })))]),
        ...(target?.paths == null
          ? []
          : [or(target.paths.map(({ prefix }) => header(":path", { prefix: prefix ?? "" })))]),
      ];
      const policy = {
        permissions: [{ and_rules: { rules: matches } }],
        principals: [{ authenticated: { principal_name: { exact: `spiffe://cluster.local${path}` } } }],
      };
      return [`rule-${name.replace("rule-", "").padStart(6, "0")}`, policy] as const;
    }),
  );
  return { action: "ALLOW", policies: Object.fromEntries(policies.toSorted(([a], [b]) => (a < b ? -1 : 1))) };
}

function header(name: string, string_match: object): object {
  return { header: { name, string_match } };
}

function or(rules: readonly object[]): object {
  return { or_rules: { rules } };
}
