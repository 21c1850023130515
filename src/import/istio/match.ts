import type { DocumentPath } from "../../policy/yaml-source.ts";
import type { AuthorizationRule } from "./schema.ts";

/** Values that a request must have one of, and values that it must have none of; null = not asked. */
export interface Values {
  readonly any: readonly string[] | null;
  readonly none: readonly string[] | null;
}

/**
 * One way in which a rule matches: one of `from`, one of `to`, and all of `when`, all said at once. Several conditions on
 * the same thing are all to hold.
 */
export interface Match {
  /** Where in the rule it comes from: indices of `from` and `to`. */
  readonly path: DocumentPath;
  readonly principals: readonly Values[];
  readonly namespaces: readonly Values[];
  readonly accounts: readonly Values[];
  readonly sni: readonly Values[];
  /** Those only of requests; on a connection that is no request, an allow with one of them matches nothing, a deny does without. */
  readonly hosts: Values;
  readonly methods: Values;
  readonly paths: Values;
  /** By the header's name in lower case. */
  readonly headers: readonly { readonly name: string; readonly values: Values }[];
  /** Conditions that ours have no word for, and which of them are only of requests. */
  readonly foreign: readonly { readonly what: string; readonly ofRequests: boolean }[];
}

/** The ways in which a rule matches. */
export function matchesOf({ from, to, when }: AuthorizationRule): readonly Match[] {
  const sources = listed(from).map((each, i) => ({
    source: each?.source ?? {},
    path: each === null ? [] : ["from", i],
  }));
  const operations = listed(to).map((each, i) => ({
    operation: each?.operation ?? {},
    path: each === null ? [] : ["to", i],
  }));
  return sources.flatMap(({ source, path }) =>
    operations.map(({ operation, path: also }): Match => {
      const conditions = (when ?? []).map(({ key, values, notValues }) => ({
        key,
        values: valuesOf(values, notValues),
      }));
      const keyed = (key: string): readonly Values[] =>
        conditions.filter((each) => each.key === key).map((each) => each.values);
      const headers = conditions.flatMap(({ key, values }) => {
        const name = headerOf(key);
        return name === null ? [] : [{ name, values }];
      });
      return {
        path: path.length > 0 ? path : also,
        principals: asked([valuesOf(source.principals, source.notPrincipals), ...keyed("source.principal")]),
        namespaces: asked([valuesOf(source.namespaces, source.notNamespaces), ...keyed("source.namespace")]),
        accounts: asked([
          valuesOf(source.serviceAccounts, source.notServiceAccounts),
          ...keyed("source.serviceAccount"),
        ]),
        sni: asked(keyed("connection.sni")),
        hosts: valuesOf(operation.hosts, operation.notHosts),
        methods: valuesOf(operation.methods, operation.notMethods),
        paths: valuesOf(operation.paths, operation.notPaths),
        headers,
        foreign: [
          ...foreign("ports of the gateway", false, operation.ports, operation.notPorts),
          ...foreign("JSON web tokens", true, source.requestPrincipals, source.notRequestPrincipals),
          ...foreign("addresses of callers", false, source.ipBlocks, source.notIpBlocks),
          ...foreign("addresses of callers", false, source.remoteIpBlocks, source.notRemoteIpBlocks),
          ...conditions
            .filter(({ key }) => !KNOWN.has(key) && headerOf(key) === null)
            .map(({ key }) => ({ what: `\`${key}\``, ofRequests: key.startsWith("request.") })),
        ],
      };
    }),
  );
}

const KNOWN: ReadonlySet<string> = new Set([
  "source.principal",
  "source.namespace",
  "source.serviceAccount",
  "connection.sni",
]);

/** Does a match ask for what only requests have? */
export function isOfRequests({ hosts, methods, paths, headers, foreign: others }: Match): boolean {
  return (
    [hosts, methods, paths].some(({ any, none }) => any !== null || none !== null) ||
    headers.length > 0 ||
    others.some(({ ofRequests }) => ofRequests)
  );
}

/** A header that a rule of ours can ask for. */
function headerOf(key: string): string | null {
  const name = /^request\.headers\[([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\]$/.exec(key)?.[1]?.toLowerCase() ?? null;
  return name === "host" ? null : name;
}

function foreign(
  what: string,
  ofRequests: boolean,
  ...lists: readonly (readonly string[] | undefined)[]
): readonly { readonly what: string; readonly ofRequests: boolean }[] {
  return lists.some((each) => (each ?? []).length > 0) ? [{ what, ofRequests }] : [];
}

/** An absent list stands for one entry that asks for nothing. */
function listed<T>(list: readonly T[] | undefined): readonly (T | null)[] {
  return list === undefined || list.length === 0 ? [null] : list;
}

function valuesOf(any: readonly string[] | undefined, none: readonly string[] | undefined): Values {
  const some = (list: readonly string[] | undefined): readonly string[] | null =>
    list === undefined || list.length === 0 ? null : list;
  return { any: some(any), none: some(none) };
}

function asked(all: readonly Values[]): readonly Values[] {
  return all.filter(({ any, none }) => any !== null || none !== null);
}
