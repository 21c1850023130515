import { scopeIn } from "../policy/assemble.ts";
import { ruleId, type Scope, type SourcePosition } from "../policy/model.ts";
import type { RawDocument, RawDocumentOf } from "../policy/raw-document.ts";
import { compareText, positionOf } from "../policy/reporter.ts";

/** A document that others name. */
export interface NamedDocument<K extends RawDocument["kind"]> {
  readonly scope: Scope;
  readonly name: string;
  readonly at: SourcePosition;
  readonly document: RawDocumentOf<K>;
}

/** What the documents of a policy set name, whether or not the set as a whole is valid. Lists are sorted. */
export interface Names {
  /** The root namespace; null while there is no gateway. */
  readonly root: string | null;
  readonly services: readonly NamedDocument<"ExternalService">[];
  readonly groups: readonly NamedDocument<"IdentityGroup">[];
  readonly policies: readonly NamedDocument<"EgressPolicy">[];
  readonly rules: ReadonlyMap<string, SourcePosition>;
  /** `namespace/name` of every service account that the set speaks of. */
  readonly accounts: readonly string[];
  readonly namespaces: readonly string[];
  readonly trustDomains: readonly string[];
  readonly owners: readonly string[];
}

/** Reads names off documents whose shape is right. */
export function namesOf(documents: readonly RawDocument[]): Names {
  const gateway = ofKind(documents, "EgressGateway")[0];
  const root = gateway?.namespace ?? null;
  const named = <K extends RawDocument["kind"]>(kind: K): NamedDocument<K>[] =>
    ofKind(documents, kind)
      .map((document) => ({
        scope: scopeIn(root ?? "", document as RawDocument),
        name: document.name,
        at: positionOf(document as RawDocument),
        document,
      }))
      .sort((a, b) => compareText(a.scope, b.scope) || compareText(a.name, b.name));
  const policies = named("EgressPolicy");
  const groups = named("IdentityGroup");
  const rules = policies.flatMap(({ scope, name, document }) =>
    document.spec.rules.map((rule, index) => {
      const at = document.source.position(["spec", "rules", index, "name"]);
      return [ruleId({ scope, name }, rule), at] as const;
    }),
  );
  const selectors = [
    ...policies.flatMap(({ document }) => document.spec.rules.flatMap(({ from }) => from ?? [])),
    ...groups.flatMap(({ document }) => document.spec.members),
  ];
  const asking = ofKind(documents, "DecisionTest").flatMap(({ spec }) => spec.cases.map(({ from }) => from));
  const accounts = sorted([
    ...selectors.flatMap(({ serviceAccount }) => serviceAccount ?? []),
    ...asking.filter((from) => !from.includes(":")),
  ]);
  const placed = documents.flatMap(({ namespace }) => namespace ?? []);
  return {
    root,
    services: named("ExternalService"),
    groups,
    policies,
    rules: new Map(rules),
    accounts,
    namespaces: sorted([
      ...placed.filter((each) => each !== root),
      ...selectors.flatMap(({ namespace }) => namespace ?? []),
      ...accounts.map((each) => each.split("/")[0] ?? each),
    ]),
    trustDomains: [...(gateway?.spec.trustDomains ?? []), ...(gateway?.spec.federatedTrustDomains ?? [])],
    owners: sorted(policies.map(({ document }) => document.spec.owner)),
  };
}

/** Whose a document is that lies or says so. */
export function scopeOf({ root }: Names, namespace: string | null): Scope {
  return namespace === null || namespace === root ? "" : namespace;
}

/** What a document of the scope sees; its own before what is global. */
export function visibleTo<T extends { readonly scope: Scope; readonly name: string }>(
  list: readonly T[],
  scope: Scope,
): readonly T[] {
  const own = list.filter((each) => each.scope === scope);
  if (scope === "") return own;
  const hidden = new Set(own.map(({ name }) => name));
  return [...own, ...list.filter((each) => each.scope === "" && !hidden.has(each.name))];
}

function ofKind<K extends RawDocument["kind"]>(documents: readonly RawDocument[], kind: K): RawDocumentOf<K>[] {
  return documents.filter((each) => each.kind === kind) as unknown as RawDocumentOf<K>[];
}

function sorted(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort(compareText);
}
