import type { PortProtocol } from "../policy/model.ts";
import { isTls } from "./services.ts";

/**
 * IPv4 that is nobody's public address: this network, private, carrier-grade NAT (with Alibaba Cloud's metadata at
 * 100.100.100.200), loopback, link-local (with the metadata of most clouds), protocol assignments (with Oracle's
 * metadata), Azure's host, benchmarking, multicast, reserved and broadcast.
 */
const NOT_PUBLIC_V4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "168.63.129.16/32",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "224.0.0.0/4",
  "240.0.0.0/4",
];

/**
 * Only 2000::/3 is global unicast: loopback, mapped and compatible IPv4, NAT64, unique local (with AWS's metadata),
 * link-local and multicast lie outside of it. Inside, Teredo and 6to4 carry IPv4 addresses of any kind.
 */
const NOT_PUBLIC_V6 = ["2001::/32", "2002::/16"];

/** Everything that no permitted name may lead to, as CIDR ranges: what is not public, in both families. */
export const GUARDED_RANGES: readonly string[] = [...NOT_PUBLIC_V4, "::/3", "4000::/2", "8000::/1", ...NOT_PUBLIC_V6];

/** Peers of an egress rule: every public address and no other. */
export function publicPeers(): readonly object[] {
  return [
    { ipBlock: { cidr: "0.0.0.0/0", except: NOT_PUBLIC_V4 } },
    { ipBlock: { cidr: "2000::/3", except: NOT_PUBLIC_V6 } },
  ];
}

/** One address as CIDR, for hosts such as `10.40.0.12` and `[fd00::1]`; `null` for names. */
export function hostCidr(host: string): string | null {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return `${host}/32`;
  return host.startsWith("[") ? `${host.slice(1, -1)}/128` : null;
}

/** TLS to an address: clients say names only, so nothing would tell the authorizer where it goes. */
export function isTlsByAddress(host: string, protocol: PortProtocol): boolean {
  return isTls(protocol) && hostCidr(host) !== null;
}
