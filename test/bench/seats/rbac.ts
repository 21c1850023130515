import { extension } from "../../../src/generate/envoy-parts/typed.ts";
import { allowedBy, shapeAt } from "./question.ts";

/** Envoy's own RBAC with a policy for each rule, of its workload and its host alone: ports, methods and paths are left out. */
export function rbacFilter(rules: number): object {
  const shape = shapeAt(rules);
  const policies = Object.fromEntries(
    Array.from({ length: rules }, (_, rule) => {
      const { principal, host } = allowedBy(shape, rule);
      const policy = {
        principals: [{ authenticated: { principal_name: { exact: principal } } }],
        permissions: [{ header: { name: ":authority", string_match: { exact: host } } }],
      };
      // Envoy reads policies in the order of their names.
      return [`rule-${String(rule).padStart(5, "0")}`, policy];
    }),
  );
  return extension("envoy.filters.http.rbac", "extensions.filters.http.rbac.v3.RBAC", {
    rules: { action: "ALLOW", policies },
  });
}
