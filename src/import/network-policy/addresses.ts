import ipaddr from "ipaddr.js";

/** Are all these CIDRs within networks that no name may lead to here anyway: private, loopback, link-local? */
export function areInside(cidrs: readonly unknown[]): boolean {
  return cidrs.length > 0 && cidrs.every((each) => typeof each === "string" && isInside(each));
}

function isInside(cidr: string): boolean {
  const text = cidr.includes("/") ? cidr : `${cidr}/32`;
  if (!ipaddr.IPv4.isValidCIDR(text)) return false;
  const first = ipaddr.IPv4.networkAddressFromCIDR(text);
  const last = ipaddr.IPv4.broadcastAddressFromCIDR(text);
  return INSIDE.has(first.range()) && first.range() === last.range();
}

const INSIDE: ReadonlySet<string> = new Set(["private", "loopback", "linkLocal", "carrierGradeNat"]);
