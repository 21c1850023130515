/**
 * A naive judge of what Istio lets out: its registry as a workload's sidecar sees it, then the AuthorizationPolicies of the egress
 * gateway. From Istio's reference (Authorization Policy, its conditions, Service Entry, Sidecar). It shares nothing with the import.
 */

type Values = readonly string[];

export interface Policy {
  readonly namespace: string;
  readonly action: "ALLOW" | "DENY" | "AUDIT" | "CUSTOM";
  readonly rules: readonly PolicyRule[];
}

export interface PolicyRule {
  readonly from?: readonly { readonly source: Readonly<Record<string, Values>> }[];
  readonly to?: readonly { readonly operation: Readonly<Record<string, Values>> }[];
  readonly when?: readonly { readonly key: string; readonly values?: Values; readonly notValues?: Values }[];
}

export interface Entry {
  readonly namespace: string;
  readonly hosts: Values;
  readonly ports: readonly { readonly number: number; readonly name: string; readonly protocol: string }[];
  readonly exportTo?: Values;
}

export interface SidecarHosts {
  readonly namespace: string;
  readonly hosts: Values;
}

export interface MeshObjects {
  readonly entries: readonly Entry[];
  readonly sidecars: readonly SidecarHosts[];
  readonly policies: readonly Policy[];
}

export interface Asked {
  readonly namespace: string;
  readonly account: string;
  readonly kind: "http" | "tls";
  readonly host: string;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The gateway does not learn who it is. */
  readonly anonymous?: boolean;
}

/** Registered, seen, denied by nobody, and allowed where anything is. Nobody knows what a CUSTOM action says: it denies. */
export function judgeIstio({ entries, sidecars, policies }: MeshObjects, asked: Asked): boolean {
  // Each host of an entry is a service of its own.
  const owner = entries
    .flatMap((entry) => entry.hosts.flatMap((host) => entry.ports.map((port) => ({ entry, host, port }))))
    .filter(({ entry, host }) => isSeen(entry, host, sidecars, asked.namespace))
    .filter(({ host, port }) => port.number === asked.port && hostMatches(host, asked.host))
    .sort(
      (a, b) => Number(a.host.startsWith("*")) - Number(b.host.startsWith("*")) || b.host.length - a.host.length,
    )[0];
  if (owner === undefined) return false;
  const kind = ["HTTP", "HTTP2", "GRPC"].includes(owner.port.protocol) ? "http" : "tls";
  if (kind !== asked.kind) return false;
  const matches = (action: Policy["action"]): boolean =>
    policies.some(
      (each) => each.action === action && each.rules.some((rule) => ruleMatches(rule, action, each.namespace, asked)),
    );
  if (matches("CUSTOM") || matches("DENY")) return false;
  return !policies.some(({ action }) => action === "ALLOW") || matches("ALLOW");
}

function isSeen(entry: Entry, host: string, sidecars: readonly SidecarHosts[], namespace: string): boolean {
  const exported = entry.exportTo ?? ["*"];
  if (!exported.some((each) => each === "*" || each === namespace || (each === "." && entry.namespace === namespace)))
    return false;
  const own = sidecars.filter((each) => each.namespace === namespace);
  return own.every(({ hosts }) =>
    hosts.some((each) => {
      const [where = "", name = ""] = each.split("/");
      const there = where === "*" || where === entry.namespace || (where === "." && entry.namespace === namespace);
      return there && (name === "*" || name === host || hostMatches(name, host));
    }),
  );
}

function hostMatches(pattern: string, host: string): boolean {
  return pattern.startsWith("*")
    ? host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1
    : pattern === host;
}

/** What a condition comes to: `absent` = only requests have it, and this is none. */
type Truth = boolean | "absent";

function ruleMatches(
  { from, to, when }: PolicyRule,
  action: Policy["action"],
  namespace: string,
  asked: Asked,
): boolean {
  // Without requests' attributes an allow does not match, and a deny goes without the condition.
  const holds = (truth: Truth): boolean => (truth === "absent" ? action !== "ALLOW" : truth);
  const one = (fields: Readonly<Record<string, Values>>): boolean =>
    Object.entries(fields).every(([field, values]) =>
      field.startsWith("not")
        ? holds(negated(attribute(field.slice(3, 4).toLowerCase() + field.slice(4), values, namespace, asked)))
        : holds(attribute(field, values, namespace, asked)),
    );
  const conditions = (when ?? []).every(({ key, values, notValues }) => {
    const yes = values === undefined || holds(attribute(key, values, namespace, asked));
    return yes && (notValues === undefined || holds(negated(attribute(key, notValues, namespace, asked))));
  });
  return (
    conditions &&
    (from === undefined || from.some(({ source }) => one(source))) &&
    (to === undefined || to.some(({ operation }) => one(operation)))
  );
}

function negated(truth: Truth): Truth {
  return truth === "absent" ? truth : !truth;
}

function attribute(name: string, values: Values, policyNamespace: string, asked: Asked): Truth {
  const { namespace, account, kind, host, port, method, path, headers, anonymous = false } = asked;
  const any = (text: string): boolean => values.some((value) => valueMatches(value, text));
  const ofRequest = (text: string): Truth => (kind === "http" ? any(text) : "absent");
  // Hosts alone are compared in any case.
  const authority = port === 80 ? host : `${host}:${port}`;
  const isHost = values.some((value) => valueMatches(value.toLowerCase(), authority));
  switch (name) {
    case "principals":
    case "source.principal":
      return !anonymous && any(`cluster.local/ns/${namespace}/sa/${account}`);
    case "namespaces":
    case "source.namespace":
      return !anonymous && any(namespace);
    case "serviceAccounts":
    case "source.serviceAccount":
      return (
        !anonymous &&
        values.some(
          (value) => (value.includes("/") ? value : `${policyNamespace}/${value}`) === `${namespace}/${account}`,
        )
      );
    case "hosts":
      return kind === "http" ? isHost : "absent";
    case "methods":
      return ofRequest(method);
    case "paths":
      return kind === "http" ? values.some((value) => pathMatches(value, path.split("?")[0] ?? "")) : "absent";
    case "connection.sni":
      return kind === "tls" && any(host);
    case "ports":
    case "destination.port":
      return values.includes("8443");
    case "ipBlocks":
    case "remoteIpBlocks":
      return false;
    case "requestPrincipals":
    case "request.auth.claims[iss]":
      return kind === "http" ? false : "absent";
    default: {
      const header = /^request\.headers\[(.*)\]$/.exec(name)?.[1]?.toLowerCase();
      if (header === undefined) throw new Error(`no attribute ${name}`);
      if (kind !== "http") return "absent";
      const value = headers[header];
      return value !== undefined && any(value);
    }
  }
}

/** Exact, `prefix*`, `*suffix`; `*` is anything that is not empty. */
function valueMatches(value: string, text: string): boolean {
  if (value === "*") return text !== "";
  if (value.startsWith("*")) return text.endsWith(value.slice(1));
  return value.endsWith("*") ? text.startsWith(value.slice(0, -1)) : text === value;
}

/** The same, or a template: `{*}` is one segment, `{**}` any number. */
function pathMatches(value: string, path: string): boolean {
  if (!value.includes("{")) return valueMatches(value, path);
  const pattern = value
    .split(/(\{\*\*\}|\{\*\})/)
    .map((part) => (part === "{*}" ? "[^/]+" : part === "{**}" ? ".*" : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")))
    .join("");
  return new RegExp(`^${pattern}$`).test(path);
}
