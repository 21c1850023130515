import { fail, ok, type Result, withAcceptedFix } from "./result.ts";

/** A request as a person writes it, still raw: host and path are what Envoy would hand over. */
export interface RequestText {
  readonly kind: "http" | "tls" | "tcp";
  /** HTTP: the authority as written, with its port if it has one. TLS and TCP: without the port. */
  readonly host: string;
  /** The port of a TLS or TCP request, as text; null on HTTP. */
  readonly port: string | null;
  readonly method: string;
  readonly path: string;
  /** Something the person should know about the reading, or null. */
  readonly note: string | null;
}

const FORMS = "write `METHOD http://host[:port]/path`, `TLS host[:port]` or `TCP host:port`";

/** Reads the `to` of a test or of the command line. Nothing is canonicalised. @see docs/semantics.md §6 */
export function parseRequestText(to: string): Result<RequestText> {
  return withAcceptedFix(readRequest(to), readRequest);
}

function readRequest(to: string): Result<RequestText> {
  const space = to.indexOf(" ");
  if (space <= 0) return fail(`\`${to}\` is not a request: ${FORMS}`);
  const word = to.slice(0, space);
  const rest = to.slice(space + 1);
  if (word === "TLS" || word === "TCP") return parseConnection(word, rest);
  if (/^(tls|tcp)$/i.test(word)) return fail(`\`${to}\`: ${FORMS}`, `${word.toUpperCase()} ${rest}`);
  const scheme = /^(https?):\/\//i.exec(rest);
  if (scheme === null) {
    const fix = /^[\w.-]+(:\d+)?(\/|$)/.test(rest) ? `${word} http://${rest}` : null;
    return fail(`\`${to}\` has no \`http://\`: ${FORMS}`, fix);
  }
  const url = rest.slice(scheme[0].length);
  const end = url.search(/[/?#]/);
  const host = end < 0 ? url : url.slice(0, end);
  if (host === "") return fail(`\`${to}\` names no host`);
  if (scheme[1]?.toLowerCase() === "https") {
    const connection = parseConnection("TLS", host);
    if (!connection.ok) return connection;
    const note = "the application speaks TLS itself: method and path are not visible to the gateway";
    return ok({ ...connection.value, note });
  }
  const tail = end < 0 ? "" : url.slice(end);
  const path = tail.startsWith("/") ? tail : `/${tail}`;
  return ok({ kind: "http", host, port: null, method: word, path, note: null });
}

function parseConnection(word: "TLS" | "TCP", text: string): Result<RequestText> {
  if (/^[a-z]+:\/\//i.test(text)) return fail(`\`${word} ${text}\` has a scheme: ${FORMS}`);
  const match = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(text);
  const host = match?.[1] ?? text;
  const port = match?.[2] ?? null;
  if (host === "") return fail(`\`${word} ${text}\` names no host`);
  if (word === "TCP" && port === null) return fail(`\`TCP ${text}\` names no port`, `TCP ${text}:5432`);
  const kind = word === "TLS" ? "tls" : "tcp";
  return ok({ kind, host, port: port ?? "443", method: "", path: "", note: null });
}

/** Reads the `from` of a test or of the command line: a SPIFFE ID as written, or `namespace/serviceaccount`. */
export function parseSubjectText(from: string, ownTrustDomain: string): Result<string> {
  if (from.includes("://")) return ok(from);
  const match = /^([^/\s]+)\/([^/\s]+)$/.exec(from);
  if (match === null) return fail(`\`${from}\` is neither \`namespace/serviceaccount\` nor a SPIFFE ID`);
  return ok(`spiffe://${ownTrustDomain}/ns/${match[1]}/sa/${match[2]}`);
}
