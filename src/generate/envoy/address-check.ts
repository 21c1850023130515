import { setAtFirstData, value } from "../envoy-parts/filter-state.ts";
import { extension } from "../envoy-parts/typed.ts";

const MATCHER = "extensions.rbac.matchers.upstream_ip_port.v3.UpstreamIpPortMatcher";
const DIALLED = "sallyport.dialled";
const ANY = ["0.0.0.0/0", "::/0"];

/** Which addresses names may lead to. */
export interface AddressRule {
  /** CIDR ranges, one of which must hold the address; null for any. */
  readonly listed: readonly string[] | null;
  /** CIDR ranges that must not hold it. */
  readonly guarded: readonly string[];
}

/** Refuses a connection, at its first bytes, by the address that its name was looked up to be. */
export function looksRight({ listed, guarded }: AddressRule): object {
  const of = (range: string): object => {
    const matcher = extension("envoy.rbac.matchers.upstream_ip_port", MATCHER, { upstream_ip: cidr(range) });
    return { matcher };
  };
  const permissions = [...(listed ?? ANY).map(of)];
  const refused = guarded.length === 0 ? [] : [{ not_rule: { or_rules: { rules: guarded.map(of) } } }];
  const rule = { and_rules: { rules: [{ or_rules: { rules: permissions } }, ...refused] } };
  return allowOnly("looked-up-address", { permissions: [rule], principals: [{ any: true }] });
}

/**
 * Refuses a connection before its first byte goes out, by the address that it reached: a name may have several, and
 * Envoy tries them in turn.
 */
export function isRight({ listed, guarded }: AddressRule): readonly object[] {
  const within = (ranges: readonly string[]): object => ({
    filter_state: { key: DIALLED, address_match: { ranges: ranges.map(cidr) } },
  });
  const refused = guarded.length === 0 ? [] : [{ not_id: within(guarded) }];
  const principals = [{ and_ids: { ids: [within(listed ?? ANY), ...refused] } }];
  const address = value(DIALLED, "%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%");
  return [
    setAtFirstData([{ ...address, factory_key: "envoy.network.ip" }]),
    allowOnly("reached-address", { permissions: [{ any: true }], principals }),
  ];
}

function allowOnly(stat_prefix: string, policy: object): object {
  return extension("envoy.filters.network.rbac", "extensions.filters.network.rbac.v3.RBAC", {
    stat_prefix,
    rules: { action: "ALLOW", policies: { [stat_prefix]: policy } },
  });
}

function cidr(range: string): object {
  const [address_prefix, length = address_prefix?.includes(":") ? 128 : 32] = range.split("/");
  return { address_prefix, prefix_len: Number(length) };
}
