import type { CheckInput, Dependencies, HeaderPair } from "./decision.ts";

/** Headers that the base key looks at. */
export const KEY_HEADERS: readonly string[] = ["host", "upgrade", "connection", ":protocol"];

/**
 * The base key of a request: everything that a decision always depends on. Each part is written with its length before
 * it, so that no two different requests can spell the same key.
 */
export function baseKey(input: CheckInput): string {
  const { kind, principal, host, port, method, headers } = input;
  const key = `${kind}${part(principal)}${part(host)}${port === null ? "-" : part(port)}`;
  if (kind !== "http") return key;
  let hosts = "";
  let upgrades = "";
  let protocol = "";
  for (const pair of headers) {
    const name = pair[0];
    if (name === "host") {
      if (pair[1] !== host) hosts += `h${value(pair[1])}`;
    } else if (name === "upgrade") upgrades += `u${value(pair[1])}`;
    else if (name === ":protocol") protocol = "p";
  }
  if (upgrades !== "") upgrades += values("n", "connection", headers);
  return `${key}${method === "CONNECT" ? "c" : ""}${protocol}${hosts}${upgrades}`;
}

/** The base key completed by the inputs that the decision turned out to depend on. */
export function fullKey(base: string, input: CheckInput, depends: Dependencies): string {
  let key = `${base}|`;
  if (depends.method) key += `m${part(input.method)}`;
  if (depends.path) key += `p${part(withoutQuery(input.path))}`;
  if (depends.contentType) key += values("t", "content-type", input.headers);
  for (const name of depends.headers) key += `x${part(name)}${values("v", name, input.headers)}`;
  return key;
}

/** Whether the decision depends on anything beside the base key. */
export function dependsOnMore(depends: Dependencies): boolean {
  return depends.method || depends.path || depends.contentType || depends.headers.length > 0;
}

/** Whether `wide` names every input that `narrow` names. */
export function covers(wide: Dependencies, narrow: Dependencies): boolean {
  return (
    (wide.method || !narrow.method) &&
    (wide.path || !narrow.path) &&
    (wide.contentType || !narrow.contentType) &&
    narrow.headers.every((name) => wide.headers.includes(name))
  );
}

/** The inputs that either names. */
export function union(one: Dependencies, other: Dependencies): Dependencies {
  return {
    method: one.method || other.method,
    path: one.path || other.path,
    contentType: one.contentType || other.contentType,
    headers: [...new Set([...one.headers, ...other.headers])].sort(),
  };
}

function values(tag: string, name: string, headers: readonly HeaderPair[]): string {
  let key = "";
  for (const pair of headers) if (pair[0] === name) key += tag + value(pair[1]);
  return `${key};`;
}

function value(raw: string | Uint8Array): string {
  if (typeof raw === "string") return `s${part(raw)}`;
  return `b${part(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString("latin1"))}`;
}

function part(text: string): string {
  return `${text.length}:${text}`;
}

function withoutQuery(path: string): string {
  const query = path.indexOf("?");
  return query === -1 ? path : path.slice(0, query);
}
