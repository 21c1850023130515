import type { PlacedDocument, Rule, RuleTarget } from "../oracle/documents.ts";
import type { GeneratedSet } from "./realise.ts";
import { pick } from "./universe.ts";

/** A rule of a set, and another that was made from it and put into a policy of its own beside it. */
export interface Twin {
  readonly set: GeneratedSet;
  /** `original` and `twin` by id. */
  readonly original: string;
  readonly twin: string;
  readonly kind: "copy" | "narrower" | "denied";
  readonly rule: Rule;
}

interface PolicyDocument {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: { readonly owner: string; readonly mode?: string; readonly rules: readonly Rule[] };
}

const TWIN = "zz-twin";

/** Puts a twin of one of the set's rules beside it; null when the set has no rule. */
export function withTwin(set: GeneratedSet, choice: number, kind: Twin["kind"], rootNamespace: string): Twin | null {
  const policies = set.documents.filter(({ doc }) => (doc as PolicyDocument).kind === "EgressPolicy");
  const rules = policies.flatMap((placed) =>
    (placed.doc as PolicyDocument).spec.rules.map((rule) => ({ placed, rule })),
  );
  const wanted = rules.filter(({ rule }) => kind !== "denied" || rule.effect !== "deny");
  if (wanted.length === 0) return null;
  const { placed, rule } = pick(wanted, choice);
  const { metadata, spec } = placed.doc as PolicyDocument;
  const made = { ...changed(rule, kind, choice), name: "twin" };
  const mode = kind === "denied" ? "enforce" : spec.mode;
  const doc = {
    ...(placed.doc as object),
    metadata: { ...metadata, name: TWIN },
    spec: { ...spec, ...(mode === undefined ? {} : { mode }), rules: [made] },
  };
  const namespace = placed.place === "" ? (metadata.namespace ?? rootNamespace) : placed.place;
  const scope = namespace === rootNamespace ? "" : `${namespace}/`;
  const documents: PlacedDocument[] = [...set.documents, { place: placed.place, doc }];
  return {
    set: { ...set, documents },
    original: `${scope}${metadata.name}/${rule.name}`,
    twin: `${scope}${TWIN}/twin`,
    ...{ kind, rule: made },
  };
}

function changed(rule: Rule, kind: Twin["kind"], choice: number): Rule {
  if (kind === "copy") return rule;
  if (kind === "narrower") return narrowed(rule, choice);
  const { upgrades: _, notBefore: __, expires: ___, ...rest } = rule;
  return { ...rest, effect: "deny", ...{ reason: "a twin denies" } };
}

/** Paths, each with patterns that hold less. */
const NARROWER: Readonly<Record<string, readonly string[]>> = {
  "/*": ["/a*", "/a/b", "/{*}", "/{**}"],
  "/a*": ["/a", "/a/*", "/a/{*}", "/a/{**}"],
  "/a/*": ["/a/b", "/a/{**}", "/a/{*}/c"],
  "/a/{**}": ["/a/b", "/a/{*}", "/a/*", "/a/"],
  "/a/{*}": ["/a/b"],
  "/{**}": ["/", "/a", "/{*}", "/{*}/{*}/{**}", "/*"],
  "/{*}/b": ["/a/b"],
  "/{*}/{*}/{**}": ["/a/b/c", "/a/{*}/c", "/a/b/{**}"],
};

/** A rule that matches no more: less of one thing, as `choice` says. */
function narrowed(rule: Rule, choice: number): Rule {
  const { from = [{ namespace: "shop" }], to = [] } = rule;
  const target = pick(to.length === 0 ? [{}] : to, choice);
  const change = (changes: RuleTarget): Rule => ({ ...rule, to: [{ ...target, ...changes }] });
  switch (choice % 6) {
    case 0:
      return { ...rule, from: [pick(from, choice)] };
    case 1:
      return to.length === 0 ? rule : { ...rule, to: [target] };
    case 2:
      return to.length === 0 ? rule : change({ methods: [pick(target.methods ?? ["GET", "PURGE"], choice)] });
    case 3: {
      const path = pick(target.paths ?? ["*"], choice);
      return to.length === 0 ? rule : change({ paths: [pick(NARROWER[path] ?? [path === "*" ? "/a" : path], choice)] });
    }
    case 4:
      return to.length === 0 ? rule : change({ headers: { ...target.headers, "x-more": ["yes"] } });
    default:
      return target.hosts === undefined ? rule : change({ hosts: [pick(target.hosts, choice)] });
  }
}
