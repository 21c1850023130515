import * as fc from "fast-check";
import type { Acl, AclRule } from "./judge.ts";

/** Hosts that are asked for; the last ones only some wildcards know. */
export const HOSTS = [
  "example.com",
  "api.example.com",
  "deep.api.example.com",
  "other.example.com",
  "example.org",
  "api.example.org",
  "bad.example.org",
  "x.bad.example.org",
  "vendor.co.uk",
  "pages.github.io",
  "unknown.test",
] as const;

const GLOBS = [
  "example.com",
  "api.example.com",
  "other.example.com",
  "*.example.com",
  "*.api.example.com",
  "example.org",
  "bad.example.org",
  "*.example.org",
  "*.bad.example.org",
  "vendor.co.uk",
] as const;

/** What Smokescreen takes and no policy can hold. */
const ODD_GLOBS = [
  "*.com",
  "*.co.uk",
  "*.github.io",
  "10.0.0.1",
  "localhost",
  "pages.github.io",
  "Example.ORG.",
] as const;

/** Roles that the ACL may know; the workload of each is `roles/<role>`. */
export const ROLES = ["one", "two", "three", "stranger"] as const;

const globs = (odd: boolean): fc.Arbitrary<string[]> =>
  fc.uniqueArray(fc.constantFrom(...GLOBS, ...(odd ? ODD_GLOBS : [])), { maxLength: 4 });

const rule = (odd: boolean): fc.Arbitrary<AclRule> =>
  fc
    .record({
      action: odd
        ? fc.constantFrom("open" as const, "report" as const, "enforce" as const)
        : fc.constant("enforce" as const),
      allowed_domains: globs(odd),
      headered: odd ? fc.integer({ min: -6, max: 3 }) : fc.constant(-1),
    })
    .map(({ headered, ...each }) => {
      const domain = each.allowed_domains[headered];
      return domain === undefined ? each : { ...each, mitm_domains: [{ domain, add_headers: { "x-tenant": "acme" } }] };
    });

/** An ACL; `odd` = also with globs, actions and headers that are not carried over exactly. */
export const aclDraft = (odd: boolean): fc.Arbitrary<Acl> =>
  fc
    .record({
      rules: fc.array(rule(odd), { minLength: 1, maxLength: 3 }),
      byDefault: odd ? fc.option(rule(odd), { nil: undefined }) : fc.constant(undefined),
      allow: globs(odd),
      deny: globs(odd),
    })
    .map(({ rules, byDefault, allow, deny }) => ({
      version: "v1",
      services: rules.map((each, i) => ({ name: ROLES[i] ?? "", project: "team", ...each })),
      ...(byDefault === undefined ? {} : { default: { project: "rest", ...byDefault } }),
      global_allow_list: allow,
      global_deny_list: deny,
    }));
