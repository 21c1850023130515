import type { PolicySet, SourcePosition } from "../../policy/model.ts";
import { scopedName } from "../scoped-name.ts";
import type { Finding } from "./finding.ts";
import { createOwners } from "./owners.ts";

/**
 * Services that no rule, mirror or split speaks of, and groups that no rule names and that set no fallback. Where a fallback
 * lets pass what no rule matches, a service needs no rule.
 */
export function unreferenced(set: PolicySet): Finding[] {
  const owners = createOwners(set);
  const services = new Set<string>();
  const groups = new Set<string>();
  const key = ({ scope, name }: { readonly scope: string; readonly name: string }): string => `${scope}/${name}`;
  for (const { rules } of set.policies) {
    for (const { from, to } of rules) {
      for (const selector of from ?? []) if (selector.kind === "group") groups.add(key(selector));
      for (const { service, hosts } of to ?? []) {
        if (service !== null) services.add(key(service));
        for (const host of hosts ?? []) for (const each of owners.touching(host)) services.add(key(each));
      }
    }
  }
  for (const { mirror, split } of set.services) {
    if (mirror !== null) services.add(key(mirror.service));
    for (const { service } of split) services.add(key(service));
  }
  const open = [set.gateway, ...set.groups].some(({ fallback }) => fallback === "report" || fallback === "allow");
  return [
    ...set.services
      .filter((each) => !open && !services.has(key(each)))
      .map((each) =>
        finding("unused-service", scopedName(each), each.at, "no rule, mirror or split speaks of service"),
      ),
    ...set.groups
      .filter((each) => each.fallback === null && !groups.has(key(each)))
      .map((each) => finding("unused-group", scopedName(each), each.at, "no rule names group")),
  ];
}

function finding(code: "unused-service" | "unused-group", subject: string, at: SourcePosition, what: string): Finding {
  return { code, message: `${what} \`${subject}\``, at, subject, related: [], fix: "remove it" };
}
