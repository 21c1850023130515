import { extension, typed } from "./typed.ts";

const MATCHER = "extensions.rbac.matchers.upstream_ip_port.v3.UpstreamIpPortMatcher";
const HTTP = "envoy.filters.http.rbac";

const CONNECTION = "envoy.filters.network.rbac";

function rules(action: "ALLOW" | "DENY", ranges: readonly string[]): object {
  const permissions = ranges.map((range) => {
    const [address_prefix, length] = range.split("/");
    const upstream_ip = { address_prefix, prefix_len: Number(length) };
    return { matcher: extension("envoy.rbac.matchers.upstream_ip_port", MATCHER, { upstream_ip }) };
  });
  return { action, policies: { address: { permissions, principals: [{ any: true }] } } };
}

/** Refuses requests whose registered name leads to a guarded address: looked up after the decision, refused before dialling. */
export function requestAddressCheck(ranges: readonly string[]): object {
  return extension(
    HTTP,
    "extensions.filters.http.rbac.v3.RBAC",
    ranges.length === 0 ? {} : { rules: rules("DENY", ranges) },
  );
}

/** Lifts the check on routes to hosts that the security team registered as internal. */
export function withoutAddressCheck(): Readonly<Record<string, object>> {
  return { [HTTP]: typed("extensions.filters.http.rbac.v3.RBACPerRoute", {}) };
}

/** The same for bytes, at the first of them. */
export function connectionAddressCheck(ranges: readonly string[]): object {
  return extension(CONNECTION, "extensions.filters.network.rbac.v3.RBAC", {
    stat_prefix: "guarded-address",
    rules: rules("DENY", ranges),
  });
}

/** Refuses connections whose name leads anywhere but to the addresses that the service lists. */
export function onlyAddresses(addresses: readonly string[], standIn: string | undefined): object {
  const ranges = [...addresses, ...(standIn === undefined ? [] : [standIn])];
  return extension(CONNECTION, "extensions.filters.network.rbac.v3.RBAC", {
    stat_prefix: "listed-address",
    rules: rules(
      "ALLOW",
      ranges.map((range) => (range.includes("/") ? range : `${range}/${range.includes(":") ? 128 : 32}`)),
    ),
  });
}
