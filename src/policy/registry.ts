import { coveringPatterns } from "./host-pattern.ts";
import type { ExternalService, HostPattern, IdentityGroup, Scope } from "./model.ts";
import { suggest } from "./suggest.ts";

const MAX_SUGGESTIONS = 300;

/** Look-ups over the set's services and groups, each in constant time. */
export interface Registry {
  /** The service a document of `scope` means by `name`: its namespace's own before the global one. */
  service(scope: Scope, name: string): ExternalService | null;
  group(scope: Scope, name: string): IdentityGroup | null;
  /** The visible name that was probably meant. Only the first hundreds of slips are worth a look at every name. */
  nearService(scope: Scope, name: string): string | null;
  nearGroup(scope: Scope, name: string): string | null;
  /** Services visible to `scope` with a pattern that covers this one. */
  covering(scope: Scope, pattern: HostPattern): readonly ExternalService[];
  /** Services visible to `scope` with a pattern that this one covers. */
  covered(scope: Scope, pattern: HostPattern): readonly ExternalService[];
}

export function createRegistry(services: readonly ExternalService[], groups: readonly IdentityGroup[]): Registry {
  const byPattern = new Map<HostPattern, ExternalService[]>();
  const bySuffix = new Map<HostPattern, ExternalService[]>();
  const push = (map: Map<HostPattern, ExternalService[]>, key: HostPattern, service: ExternalService): void => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [service]);
    else if (list.at(-1) !== service) list.push(service);
  };
  for (const service of services) {
    for (const pattern of service.hosts) {
      push(byPattern, pattern, service);
      for (const outer of coveringPatterns(pattern)) push(bySuffix, outer, service);
    }
  }
  const visible = (scope: Scope, service: ExternalService): boolean => service.scope === "" || service.scope === scope;
  const names = function* (scope: Scope, all: readonly { scope: Scope; name: string }[]): Generator<string> {
    for (const each of all) if (each.scope === "" || each.scope === scope) yield each.name;
  };
  let looks = MAX_SUGGESTIONS;
  const near = (name: string, all: Iterable<string>): string | null => (looks-- > 0 ? suggest(name, all) : null);
  return {
    service: createFinder(services),
    group: createFinder(groups),
    nearService: (scope, name) => near(name, names(scope, services)),
    nearGroup: (scope, name) => near(name, names(scope, groups)),
    covering: (scope, pattern) =>
      [...coveringPatterns(pattern)].flatMap((outer) => byPattern.get(outer) ?? []).filter((s) => visible(scope, s)),
    covered: (scope, pattern) => (bySuffix.get(pattern) ?? []).filter((s) => visible(scope, s)),
  };
}

/** Finds what a document of a scope means by a name. Of several that share scope and name, the last. */
function createFinder<T extends { readonly scope: Scope; readonly name: string }>(
  all: readonly T[],
): (scope: Scope, name: string) => T | null {
  const scopes = new Map<Scope, Map<string, T>>();
  for (const each of all) {
    const names = scopes.get(each.scope) ?? new Map<string, T>();
    scopes.set(each.scope, names.set(each.name, each));
  }
  return (scope, name) => scopes.get(scope)?.get(name) ?? scopes.get("")?.get(name) ?? null;
}
