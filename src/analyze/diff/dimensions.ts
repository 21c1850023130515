import type { HeaderPair } from "../../pdp/decision.ts";
import type { PathPattern } from "../../policy/model.ts";
import { CONTENT_TYPE, GRPC, headerAtoms, isUpgradeHeader, UPGRADE_HEADERS } from "../atoms/header-atoms.ts";
import { type PathAtom, pathAtoms } from "../atoms/path-atoms.ts";
import { unlike } from "../atoms/unlike.ts";
import { AMBIGUOUS, EXCEPT, NO_UPGRADE, OTHER } from "./labels.ts";
import { type Item, STEPS, textAt } from "./side.ts";
import { type Atom, createSplit, type Split, type SplitCache } from "./split.ts";

const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OTHER"] as const;

/** What all of the items ask for in a step, each thing once: it tells in what ways requests can differ there. */
function textOf(name: (typeof STEPS)[number], items: readonly Item[]): string {
  const step = STEPS.indexOf(name);
  if (items.length > 2) return `${name} ${[...new Set(items.map((each) => textAt(each, step)))].sort().join(" ")}`;
  // Mostly a rule is compared with what it was.
  const one = items[0] === undefined ? "" : textAt(items[0], step);
  const other = items[1] === undefined ? one : textAt(items[1], step);
  if (one === other) return `${name} ${one}`;
  return one < other ? `${name} ${one} ${other}` : `${name} ${other} ${one}`;
}

export function splitMethods(items: readonly Item[], cache: SplitCache): Split {
  // What an expression makes of a method only the method itself shows.
  const each = items.some(({ when }) => when?.reads.method === true);
  return cache.get(`${textOf("methods", items)}${each ? " each" : ""}`, () => {
    const named = new Set(items.flatMap(({ conditions }) => conditions.methods ?? []));
    const lists = [...new Set(items.map(({ conditions }) => conditions.methods))];
    const alike = Map.groupBy([...named].sort(), (method) =>
      each ? method : lists.map((list) => list?.includes(method)).join(),
    );
    const other = unlike(named, ...METHODS);
    const atom = (method: string, labels: readonly string[]): Atom => ({
      labels,
      fill: (sample) => ({ ...sample, method }),
      lets: ({ conditions: { methods } }) => methods?.includes(method) ?? true,
    });
    return createSplit("methods", [
      ...[...alike.values()].map((methods) => atom(methods[0] ?? "", methods)),
      atom(other, [OTHER]),
    ]);
  });
}

/** Null when the patterns can be combined in too many ways. */
export function splitPaths(items: readonly Item[], most: number, cache: SplitCache): Split | null {
  return cache.get(textOf("paths", items), () => {
    const patterns = new Map<string, PathPattern>();
    for (const { conditions } of items) for (const each of conditions.paths ?? []) patterns.set(each.text, each);
    const texts = [...patterns.keys()].sort();
    const list = texts.flatMap((text) => patterns.get(text) ?? []);
    const atoms = pathAtoms(list, most);
    return atoms === null
      ? null
      : createSplit(
          "paths",
          atoms.map((each) => pathAtom(each, texts)),
        );
  });
}

function pathAtom({ kind, path, matched }: PathAtom, texts: readonly string[]): Atom {
  const names = matched.map((place) => texts[place] ?? "");
  const set = new Set(names);
  return {
    labels: [kind === "doubt" ? AMBIGUOUS : names.join(EXCEPT)],
    fill: (sample) => ({ ...sample, path }),
    lets: ({ denies, conditions: { paths } }) =>
      paths === null || (kind === "doubt" ? denies : paths.some(({ text }) => set.has(text))),
  };
}

/** @param grpc whether the content type decides who is asked */
export function splitHeader(items: readonly Item[], name: string, grpc: boolean, host: string): Split {
  const values = items.flatMap(({ conditions }) => conditions.headers.find((each) => each.name === name)?.values ?? []);
  return createSplit(
    `header ${name}`,
    headerAtoms(values, grpc && name === CONTENT_TYPE).map(({ kind, value }) => {
      // A `host` header must agree with the host that is asked for, or nothing is decided by rules.
      const sent = name === "host" && kind === "other" ? host : value;
      const doubt = kind === "doubt" && name === "host" ? [host, host] : sent === null ? [] : [sent];
      return {
        labels: [kind === "named" ? `=${value}` : `${kind}${grpc && isGrpc(value) ? " grpc" : ""}`],
        fill: (sample) => ({
          ...sample,
          headers: [...sample.headers, ...doubt.map((each): HeaderPair => [name, each])],
        }),
        lets: (item) => headerLets(item, name, kind === "doubt" ? null : { value: kind === "named" ? value : null }),
      };
    }),
  );
}

function isGrpc(value: string | null): boolean {
  return value?.startsWith(GRPC) ?? false;
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

/** Whether a request upgrades, to what, and what conditions on the headers by which it does so make of them. */
export function splitUpgrades(items: readonly Item[], cache: SplitCache): Split {
  return cache.get(textOf("upgrades", items), () => {
    const protocols = new Set(items.flatMap(({ upgrades }) => upgrades));
    const conditioned = items.some(({ conditions }) => conditions.headers.some(({ name }) => isUpgradeHeader(name)));
    if (conditioned) return upgradesBy(strangeUpgrades(items, protocols), protocols, true);
    const asked = [...protocols, otherThan(protocols)];
    return upgradesBy([[], ...asked.map((each) => upgradePairs("upgrade", each))], protocols, false);
  });
}

function otherThan(protocols: ReadonlySet<string>): string {
  return unlike(protocols, "other");
}

/** @param told whether the headers themselves are told apart, and not only the protocols */
function upgradesBy(pairs: readonly (readonly HeaderPair[])[], protocols: ReadonlySet<string>, told: boolean): Split {
  return createSplit(
    "upgrades",
    pairs.map((headers) => {
      const protocol = protocolOf(headers);
      const label = protocol === null ? NO_UPGRADE : protocols.has(protocol) ? protocol : OTHER;
      return {
        labels: [told ? `${label} ${JSON.stringify(headers)}` : label],
        fill: (sample) => ({ ...sample, headers: [...sample.headers, ...headers] }),
        lets: (item) =>
          (item.denies || protocol === null || item.upgrades.includes(protocol)) &&
          (item.conditions.headers.length === 0 ||
            UPGRADE_HEADERS.every((name) => headerLets(item, name, sentOf(headers, name)))),
      };
    }),
  );
}

function upgradePairs(connection: string, upgrade: string): readonly HeaderPair[] {
  return [
    ["connection", connection],
    ["upgrade", upgrade],
  ];
}

/** Every way in which conditions on these two headers and the upgrade itself can be combined. */
function strangeUpgrades(items: readonly Item[], protocols: ReadonlySet<string>): readonly (readonly HeaderPair[])[] {
  const valuesOf = (name: string): readonly string[] =>
    items.flatMap(({ conditions }) => conditions.headers.find((each) => each.name === name)?.values ?? []);
  const spelt = [...protocols, otherThan(protocols)].flatMap((each) => [each, each.toUpperCase(), `${each} `]);
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
export function splitTimes(items: readonly Item[], atMs: number, cache: SplitCache): Split {
  // All of a comparison begins at one instant.
  return cache.get(textOf("times", items), () => {
    const boundaries = items.flatMap(({ notBefore, expires }) => [notBefore, expires].filter((each) => each !== null));
    const starts = [...new Set([atMs, ...boundaries.filter((each) => each > atMs)])].sort((one, other) => one - other);
    return createSplit(
      "times",
      starts.map((start) => ({
        labels: [String(start)],
        fill: (sample) => ({ ...sample, atMs: start }),
        lets: ({ notBefore, expires }) =>
          (notBefore ?? start) <= start && (expires ?? Number.POSITIVE_INFINITY) > start,
      })),
    );
  });
}
