/**
 * A naive judge of Smokescreen's ACL, from the comments and the README of stripe/smokescreen v0.1.0: role's own hosts, global
 * deny list, global allow list, action. It shares nothing with the import.
 */

export interface AclRule {
  readonly name?: string;
  readonly project?: string;
  readonly action: "open" | "report" | "enforce";
  readonly allowed_domains?: readonly string[];
  readonly mitm_domains?: readonly {
    readonly domain: string;
    readonly add_headers?: Readonly<Record<string, string>>;
  }[];
}

export interface Acl {
  readonly version: "v1";
  readonly services: readonly AclRule[];
  readonly default?: AclRule;
  readonly global_allow_list?: readonly string[];
  readonly global_deny_list?: readonly string[];
}

/** What comes of a request; `headers`: it passes with headers that Smokescreen adds. */
export type Answer = "allow" | "headers" | "deny";

/** Decides by the first that says something. */
export function judgeSmokescreen(acl: Acl, role: string, host: string): Answer {
  const rule = acl.services.find(({ name }) => name === role) ?? acl.default;
  if (rule === undefined) return "deny";
  const listed = (globs: readonly string[] | undefined): boolean =>
    (globs ?? []).some((glob) => globMatches(glob, host));
  if (listed(rule.allowed_domains)) {
    const mitm = (rule.mitm_domains ?? []).find(({ domain }) => globMatches(domain, host));
    return mitm?.add_headers === undefined ? "allow" : "headers";
  }
  if (listed(acl.global_deny_list)) return "deny";
  if (listed(acl.global_allow_list)) return "allow";
  return rule.action === "enforce" ? "deny" : "allow";
}

/** `*.example.com` is any name under it, however deep, and not itself. */
function globMatches(glob: string, host: string): boolean {
  const clean = (text: string): string => text.toLowerCase().replace(/\.$/, "");
  return glob.startsWith("*.") ? clean(host).endsWith(clean(glob.slice(1))) : clean(glob) === clean(host);
}
