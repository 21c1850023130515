import type { Canonicaliser } from "../../policy/canonicaliser.ts";
import type { IdentitySelector } from "../../policy/model.ts";
import type { PolicyFile } from "../../policy/parse-cache.ts";
import type { SourceProblem } from "../../policy/yaml-source.ts";
import { problemAt, readOne, readShape } from "../read-source.ts";
import { namespaceOf, readSelector, selectorsMeet, writeSelector } from "../subjects.ts";
import { rolesFile } from "./schema.ts";

/** The workloads of each role, or what is wrong with the file. */
export interface ReadRoles {
  readonly roles: ReadonlyMap<string, readonly IdentitySelector[]>;
  readonly problems: readonly SourceProblem[];
  /** A problem at a role's name. */
  problemOf(role: string, message: string, fix: string | null): SourceProblem | null;
}

/** Reads `--roles`: role to selectors. A workload has one role, so that no two roles may have one in common. */
export function readRoles(file: PolicyFile | null, trustDomain: string, canon: Canonicaliser): ReadRoles {
  const none = { roles: new Map<string, readonly IdentitySelector[]>(), problemOf: () => null };
  if (file === null) return { ...none, problems: [] };
  const read = readOne(file);
  const [source] = read.objects;
  if (source === undefined) return { ...none, problems: read.problems };
  const shaped = readShape(rolesFile, source);
  const [object] = shaped.objects;
  if (object === undefined) return { ...none, problems: shaped.problems };
  const problems: SourceProblem[] = [];
  const roles = new Map<string, readonly IdentitySelector[]>();
  const taken = createTaken();
  for (const [role, specs] of Object.entries(object.value)) {
    const selectors = specs.flatMap((spec, i) => {
      const selector = readSelector(spec, trustDomain, canon);
      if (!selector.ok) {
        problems.push(problemAt(source, [role, i], "invalid-selector", selector.message, selector.fix));
        return [];
      }
      const other = taken.meeting(role, selector.value);
      if (other !== undefined) {
        const whose = Object.values(writeSelector(other.selector)).join();
        const message = `role \`${other.role}\` has workloads of \`${whose}\` already, and a workload has one role`;
        problems.push(problemAt(source, [role, i], "duplicate-entry", message));
      }
      taken.add(role, selector.value);
      return [selector.value];
    });
    roles.set(role, selectors);
  }
  const problemOf: ReadRoles["problemOf"] = (role, message, fix) => {
    const at = source.keyPosition([role]);
    return { code: "unknown-value", message, at, excerpt: source.excerpt(at), fix };
  };
  return { roles, problems, problemOf };
}

interface TakenBy {
  readonly role: string;
  readonly selector: IdentitySelector;
}

/** Selectors by the namespace that they stay within, so that each is held against few. */
function createTaken(): {
  add(role: string, selector: IdentitySelector): void;
  meeting(role: string, selector: IdentitySelector): TakenBy | undefined;
} {
  const all: TakenBy[] = [];
  const byNamespace = new Map<string | null, TakenBy[]>();
  return {
    add(role, selector) {
      const key = namespaceOf(selector);
      all.push({ role, selector });
      byNamespace.set(key, [...(byNamespace.get(key) ?? []), { role, selector }]);
    },
    meeting(role, selector) {
      const key = namespaceOf(selector);
      const near = key === null ? all : [...(byNamespace.get(key) ?? []), ...(byNamespace.get(null) ?? [])];
      return near.find((each) => each.role !== role && selectorsMeet(each.selector, selector));
    },
  };
}
