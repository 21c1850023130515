import { setApart, setForConnection } from "../envoy-parts/filter-state.ts";
import { extension } from "../envoy-parts/typed.ts";

const OUTER = "sallyport.outer-sni";

/** Takes the name that was authorised along. */
export function carriedSni(): object {
  return setForConnection([setApart(OUTER, "%REQUESTED_SERVER_NAME%")]);
}

/** Refuses what does not name the host that was authorised. In CEL's own tree: `bytes(connection.requested_server_name) == filter_state["sallyport.outer-sni"]`. */
export function sameSni(): object {
  const name = { select_expr: { operand: { ident_expr: { name: "connection" } }, field: "requested_server_name" } };
  const said = { call_expr: { function: "bytes", args: [name] } };
  const key = { const_expr: { string_value: OUTER } };
  const authorised = { call_expr: { function: "_[_]", args: [{ ident_expr: { name: "filter_state" } }, key] } };
  const same = {
    permissions: [{ any: true }],
    principals: [{ any: true }],
    condition: { call_expr: { function: "_==_", args: [said, authorised] } },
  };
  return extension("envoy.filters.network.rbac", "extensions.filters.network.rbac.v3.RBAC", {
    stat_prefix: "inner-sni",
    rules: { action: "ALLOW", policies: { "same-name": same } },
  });
}
