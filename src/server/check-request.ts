import type { CheckInput } from "../pdp/decision.ts";
import type { ReceivedCheck, ReceivedHttp } from "./decode-check-request.ts";
import { type HttpHeaders, readHttpHeaders } from "./http-headers.ts";
import type { PrincipalReader } from "./principal.ts";

/** What `EXTENSION` is to routes, for network filters, which have no context extensions: initial metadata of their `grpc_service`. */
const METADATA = { host: "sallyport-host", port: "sallyport-port" } as const;

/** gRPC metadata, as far as it is read here. */
export interface RequestMetadata {
  get(key: string): readonly (string | Buffer)[];
}

/** A Check as the engine is asked, and what the audit record says beside. */
export interface ReadCheck {
  readonly input: CheckInput;
  /** As received, for the record; null on network Checks. */
  readonly path: string | null;
  readonly requestId: string | null;
  readonly traceId: string | null;
  /** The gateway's own identity as it states it; null when it states none. */
  readonly gateway: string | null;
}

/**
 * Puts a Check into the engine's terms (the policy information point). Whatever is absent becomes empty and
 * whatever contradicts itself becomes an undecidable host: the engine then refuses. Nothing is taken from headers about
 * who asks.
 */
export function readCheck(check: ReceivedCheck, metadata: RequestMetadata, readPrincipal: PrincipalReader): ReadCheck {
  const principal = readPrincipal(check);
  const gateway = check.gateway || null;
  const { http } = check;
  if (http === null) {
    const input = networkInput(check, metadata, principal);
    return { input, path: null, requestId: null, traceId: null, gateway };
  }
  const headers = readHttpHeaders(http);
  const path = headers.path ?? http.path;
  const { requestId, traceId } = headers;
  return { input: httpInput(check, http, headers, principal, path), path, requestId, traceId, gateway };
}

function httpInput(
  check: ReceivedCheck,
  http: ReceivedHttp,
  headers: HttpHeaders,
  principal: string,
  path: string,
): CheckInput {
  const authority = http.host || (headers.authority ?? "");
  return {
    kind: "http",
    principal,
    host: headers.contradiction === null ? authority : `${authority} (${headers.contradiction})`,
    port: check.port,
    method: headers.method ?? http.method,
    path: headers.raw ? path : doubtReplacedBytes(path),
    headers: headers.pairs,
  };
}

/** Without raw headers Envoy puts `!` for bytes that are not UTF-8: such a path must not be matched as if it had said `!`. */
function doubtReplacedBytes(path: string): string {
  const mark = path.indexOf("!");
  if (mark === -1) return path;
  const query = path.indexOf("?");
  return query !== -1 && mark > query ? path : path.replaceAll("!", "%FF");
}

function networkInput(check: ReceivedCheck, metadata: RequestMetadata, principal: string): CheckInput {
  const named = check.host ?? single(metadata, METADATA.host);
  const port = check.port ?? single(metadata, METADATA.port);
  const kind = named === null ? "tls" : "tcp";
  return { kind, principal, host: named ?? sniOf(check), port, method: "", path: "", headers: [] };
}

/** The SNI; where Envoy tells it twice and differently, a text that is no host. */
function sniOf({ sni, destinationService }: ReceivedCheck): string {
  if (sni === "" || destinationService === "") return sni || destinationService;
  return sni.toLowerCase() === destinationService.toLowerCase()
    ? sni
    : `${sni} (the connection says ${destinationService})`;
}

/** A metadata entry; repeated ones become a text that is neither host nor port. */
function single(metadata: RequestMetadata, key: string): string | null {
  const values = metadata.get(key);
  return values.length === 0 ? null : values.map(String).join(" ");
}
