import type { HeaderPair } from "../../pdp/decision.ts";
import type { PathPattern } from "../../policy/model.ts";
import { CONTENT_TYPE, headerAtoms, isUpgradeHeader, UPGRADE_HEADERS } from "../atoms/header-atoms.ts";
import { pathAtoms } from "../atoms/path-atoms.ts";
import { unlike } from "../atoms/unlike.ts";
import type { Item } from "./side.ts";

/** What a request is asked with; filled in step by step. */
export interface Sample {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly HeaderPair[];
  readonly atMs: number;
}

/** Requests that the conditions of one kind cannot tell apart. */
export interface Atom {
  /** Of its kind: what tells it from the others, for people and programs. */
  readonly label: string;
  readonly fill: (sample: Sample) => Sample;
  /** Can the item match such a request, as far as this kind of condition goes? */
  readonly lets: (item: Item) => boolean;
}

/** A way to take requests apart, by one kind of condition. */
export interface Split {
  readonly of: "methods" | "paths" | `header ${string}` | "upgrades" | "times" | "expressions";
  readonly atoms: readonly Atom[];
}

const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OTHER"] as const;

export function splitMethods(items: readonly Item[]): Split {
  const named = new Set(items.flatMap(({ conditions }) => conditions.methods ?? []));
  const other = unlike(named, ...METHODS);
  const atom = (method: string, label: string): Atom => ({
    label,
    fill: (sample) => ({ ...sample, method }),
    lets: ({ conditions: { methods } }) => methods?.includes(method) ?? true,
  });
  return { of: "methods", atoms: [...[...named].sort().map((each) => atom(each, each)), atom(other, OTHER)] };
}

/** The label of what none of the conditions names. */
export const OTHER = "*";
export const AMBIGUOUS = "ambiguous";
/** Between the pattern that holds all of an atom and those that hold none. */
export const EXCEPT = "\u0000";

/** Null when the patterns can be combined in too many ways. */
export function splitPaths(items: readonly Item[], most: number): Split | null {
  const patterns = new Map<string, PathPattern>();
  for (const { conditions } of items) for (const each of conditions.paths ?? []) patterns.set(each.text, each);
  const list = [...patterns.values()].sort((one, other) => (one.text < other.text ? -1 : 1));
  const places = new Map(list.map(({ text }, place) => [text, place]));
  const atoms = pathAtoms(list, most);
  if (atoms === null) return null;
  return {
    of: "paths",
    atoms: atoms.map(({ kind, path, matched }) => {
      const set = new Set(matched);
      return {
        label: kind === "doubt" ? AMBIGUOUS : matched.map((place) => list[place]?.text ?? "").join(EXCEPT),
        fill: (sample) => ({ ...sample, path }),
        lets: ({ denies, conditions: { paths } }) =>
          paths === null || (kind === "doubt" ? denies : paths.some(({ text }) => set.has(places.get(text) ?? -1))),
      };
    }),
  };
}

/** @param grpc whether the content type decides who is asked */
export function splitHeader(items: readonly Item[], name: string, grpc: boolean, host: string): Split {
  const values = items.flatMap(({ conditions }) => conditions.headers.find((each) => each.name === name)?.values ?? []);
  return {
    of: `header ${name}`,
    atoms: headerAtoms(values, grpc && name === CONTENT_TYPE).map(({ kind, value }) => {
      // A `host` header must agree with the host that is asked for, or nothing is decided by rules.
      const sent = name === "host" && kind === "other" ? host : value;
      const doubt = kind === "doubt" && name === "host" ? [host, host] : sent === null ? [] : [sent];
      return {
        label: kind === "named" ? `=${value}` : `${kind}${grpc && isGrpc(value) ? " grpc" : ""}`,
        fill: (sample) => ({
          ...sample,
          headers: [...sample.headers, ...doubt.map((each): HeaderPair => [name, each])],
        }),
        lets: (item) => headerLets(item, name, kind === "doubt" ? null : { value: kind === "named" ? value : null }),
      };
    }),
  };
}

function isGrpc(value: string | null): boolean {
  return value?.startsWith("application/grpc") ?? false;
}

/** @param sent null in doubt; a value that no condition names is null too */
function headerLets(
  { denies, conditions }: Item,
  name: string,
  sent: { readonly value: string | null } | null,
): boolean {
  const condition = conditions.headers.find((each) => each.name === name);
  if (condition === undefined) return true;
  return sent === null ? denies : sent.value !== null && condition.values.includes(sent.value);
}

export const NO_UPGRADE = "none";

/** Whether a request upgrades, to what, and what conditions on the headers by which it does so make of them. */
export function splitUpgrades(items: readonly Item[]): Split {
  const protocols = new Set(items.flatMap(({ upgrades }) => upgrades));
  const other = unlike(protocols, "other");
  const conditioned = items.some(({ conditions }) => conditions.headers.some(({ name }) => isUpgradeHeader(name)));
  const pairs: readonly (readonly HeaderPair[])[] = conditioned
    ? strangeUpgrades(items, [...protocols, other])
    : [[], ...[...protocols, other].map((each) => upgradePairs("upgrade", each))];
  return {
    of: "upgrades",
    atoms: pairs.map((headers) => {
      const protocol = protocolOf(headers);
      const label = protocol === null ? NO_UPGRADE : protocols.has(protocol) ? protocol : OTHER;
      return {
        label: conditioned ? `${label} ${JSON.stringify(headers)}` : label,
        fill: (sample) => ({ ...sample, headers: [...sample.headers, ...headers] }),
        lets: (item) =>
          (item.denies || protocol === null || item.upgrades.includes(protocol)) &&
          UPGRADE_HEADERS.every((name) => headerLets(item, name, sentOf(headers, name))),
      };
    }),
  };
}

function upgradePairs(connection: string, upgrade: string): readonly HeaderPair[] {
  return [
    ["connection", connection],
    ["upgrade", upgrade],
  ];
}

/** Every way in which conditions on these two headers and the upgrade itself can be combined. */
function strangeUpgrades(items: readonly Item[], protocols: readonly string[]): readonly (readonly HeaderPair[])[] {
  const valuesOf = (name: string): readonly string[] =>
    items.flatMap(({ conditions }) => conditions.headers.find((each) => each.name === name)?.values ?? []);
  const spelt = protocols.flatMap((each) => [each, each.toUpperCase(), `${each} `]);
  const upgrades = [...new Set([...valuesOf("upgrade"), ...spelt, "no protocol", "a,b"])];
  const connections = [
    ...new Set([...valuesOf("connection"), "upgrade", "Upgrade", "UPGRADE ", "a,upgrade", "other", "a,b"]),
  ];
  const lists = (name: string, values: readonly string[]): readonly (readonly HeaderPair[])[] => [
    [],
    ...values.map((value): readonly HeaderPair[] => [[name, value]]),
  ];
  return lists("connection", connections).flatMap((one) =>
    lists("upgrade", upgrades).map((other) => [...one, ...other]),
  );
}

/** The protocol that is asked for; null when none is. What is no protocol is one that no rule names. */
function protocolOf(headers: readonly HeaderPair[]): string | null {
  const value = (name: string): string | null => {
    const found = headers.find(([each]) => each === name)?.[1];
    return typeof found === "string" ? found : null;
  };
  const [connection, upgrade] = [value("connection"), value("upgrade")];
  if (connection === null || upgrade === null) return null;
  const asked = connection.split(",").some((each) => each.trim().toLowerCase() === "upgrade");
  return asked ? upgrade.trim().toLowerCase() : null;
}

function sentOf(headers: readonly HeaderPair[], name: string): { readonly value: string | null } | null {
  const found = headers.find(([each]) => each === name)?.[1];
  if (typeof found !== "string") return { value: null };
  return found.includes(",") ? null : { value: found };
}

/** Now, and each instant from which another set of rules is in force. */
export function splitTimes(items: readonly Item[], atMs: number): Split {
  const boundaries = items.flatMap(({ notBefore, expires }) => [notBefore, expires].filter((each) => each !== null));
  const starts = [...new Set([atMs, ...boundaries.filter((each) => each > atMs)])].sort((one, other) => one - other);
  return {
    of: "times",
    atoms: starts.map((start) => ({
      label: String(start),
      fill: (sample) => ({ ...sample, atMs: start }),
      lets: ({ notBefore, expires }) => (notBefore ?? start) <= start && (expires ?? Number.POSITIVE_INFINITY) > start,
    })),
  };
}
