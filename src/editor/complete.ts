import { REASONS } from "../bundle/reason.ts";
import type { ExternalServiceSpec } from "../policy/schema/external-service.ts";
import { isKind, KINDS } from "../policy/schema/kinds.ts";
import { choicesAt, keysAt, meaningAt, valueAt } from "../policy/schema-at.ts";
import type { DocumentPath } from "../policy/yaml-source.ts";
import { type Names, scopeOf, visibleTo } from "./names.ts";
import type { Place } from "./place.ts";
import { referenceKindAt } from "./reference.ts";

/** Something that could be written at a place. */
export interface Suggestion {
  readonly label: string;
  readonly kind: "key" | "value" | "service" | "group" | "host" | "workload" | "rule";
  /** What it is, in a few words; null when the label says it. */
  readonly detail: string | null;
  /** What is written instead of the text at the place. */
  readonly insert: string;
}

const DOCUMENT_KEYS = ["apiVersion", "kind", "metadata", "spec"];
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** What could be written at a place: keys and values that the language has, and what the policy set names. */
export function completionsAt(place: Place, names: Names): readonly Suggestion[] {
  const { kind, path, role } = place;
  const schema = kind !== null && isKind(kind) ? KINDS[kind] : null;
  // A text where a map should be is its first key.
  const isFirstKey = role === "value" && (schema === null ? path.length === 0 : keysAt(schema, path).length > 0);
  if (role === "key" || isFirstKey) {
    if (schema === null) return DOCUMENT_KEYS.filter((key) => !place.siblings.includes(key)).map(keyOf);
    const keys = keysAt(schema, path).filter((key) => !place.siblings.includes(key));
    const all = keys.map((key) => ({ ...keyOf(key), detail: meaningAt(schema, path, key) }));
    return isFirstKey ? [...all, ...choicesAt(schema, path).map(choiceOf)] : all;
  }
  if (path.length === 1 && path[0] === "kind") return Object.keys(KINDS).map(choiceOf);
  if (schema === null) return [];
  return [...choicesAt(schema, path).map(choiceOf), ...namesAt(place, names)];
}

function keyOf(key: string): Suggestion {
  return { label: key, kind: "key", detail: null, insert: `${key}: ` };
}

function choiceOf(value: string): Suggestion {
  return { label: value, kind: "value", detail: null, insert: value };
}

function named(kind: Suggestion["kind"], label: string, detail: string | null = null): Suggestion {
  return { label, kind, detail, insert: label };
}

/** What the set names and the language cannot know. */
function namesAt(place: Place, names: Names): readonly Suggestion[] {
  const { path } = place;
  const scope = scopeOf(names, place.namespace);
  const means = referenceKindAt(place);
  if (means === "service") {
    return visibleTo(names.services, scope).map(({ name, document }) =>
      named("service", name, hostsText(document.spec)),
    );
  }
  if (means === "group") {
    return visibleTo(names.groups, scope).map(({ name, document }) => {
      const count = document.spec.members.length;
      return named("group", name, `${count} member${count === 1 ? "" : "s"}`);
    });
  }
  if (means === "rule") return [...names.rules.keys()].map((id) => named("rule", id));
  const last = path.at(-1);
  const list = typeof last === "number" ? path.at(-2) : last;
  const isCase = place.kind === "DecisionTest";
  switch (list) {
    case "serviceAccount":
      return accounts(names, scope);
    case "namespace":
      return namespacesAt(place, names, scope);
    case "trustDomain":
      return names.trustDomains.map((each) => named("value", each));
    case "owner":
      return names.owners.map((each) => named("value", each));
    case "from":
      return isCase ? accounts(names, "") : [];
    case "to":
      return isCase ? requests(place, names, scope) : [];
    case "reason":
      return isCase ? REASONS.map((each) => named("value", each)) : [];
    case "hosts":
      return place.kind === "EgressPolicy" ? hosts(names, scope) : [];
    case "methods":
      return METHODS.map((each) => named("value", each));
    case "ports":
      return place.kind === "EgressPolicy" ? portsAt(place, names, scope) : [];
    default:
      return [];
  }
}

/** A namespace's own documents speak of its own workloads only. */
function accounts({ accounts: all }: Names, scope: string): readonly Suggestion[] {
  return all.filter((each) => scope === "" || each.startsWith(`${scope}/`)).map((each) => named("workload", each));
}

function namespacesAt({ path }: Place, { namespaces, root }: Names, scope: string): readonly Suggestion[] {
  if (path[0] === "metadata")
    return [...(root === null ? [] : [root]), ...namespaces].map((each) => named("value", each));
  return (scope === "" ? namespaces : [scope]).map((each) => named("value", each));
}

function hosts(names: Names, scope: string): readonly Suggestion[] {
  return visibleTo(names.services, scope).flatMap(({ name, document }) =>
    document.spec.hosts.map((host) => {
      // A wildcard at the start of a text is an alias of YAML.
      return { ...named("host", host, `service ${name}`), insert: host.startsWith("*") ? `"${host}"` : host };
    }),
  );
}

/** The words of a request, one after the other. */
function requests({ text }: Place, names: Names, scope: string): readonly Suggestion[] {
  const before = /^(?:\S+ https?:\/\/|TLS |TCP )/.exec(text)?.[0];
  if (before === undefined) {
    return [...METHODS.map((each) => `${each} http://`), "TLS ", "TCP "].map((each) => named("value", each));
  }
  const known = visibleTo(names.services, scope).flatMap(({ name, document }) =>
    document.spec.hosts.filter((host) => !host.startsWith("*")).map((host) => ({ host, name })),
  );
  return known.map(({ host, name }) => named("host", `${before}${host}`, `service ${name}`));
}

/** Those of the service that the same `to` names. */
function portsAt({ value, path }: Place, names: Names, scope: string): readonly Suggestion[] {
  const target: DocumentPath = typeof path.at(-1) === "number" ? path.slice(0, -2) : path.slice(0, -1);
  const service = valueAt(value, [...target, "service"]);
  const means = visibleTo(names.services, scope).find(({ name }) => name === service);
  return (means?.document.spec.ports ?? []).map(({ number, protocol }) => named("value", `${number}`, protocol));
}

function hostsText({ hosts: all }: ExternalServiceSpec): string {
  const [first = "", ...others] = all;
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}
