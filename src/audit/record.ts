import { capText, encodeJson, encodeText, encodeTextOrNull } from "./encode.ts";
import { redactHost, redactPath } from "./redact.ts";

/** Which seat decided. */
type Seat = "server" | "gateway" | "desk";

/** One decision in the trail. The order of fields here is the order in the line. */
export interface AuditRecord {
  /** RFC 3339 with milliseconds, UTC. */
  readonly time: string;
  /** UUIDv7, the one the caller and Envoy's access log see. */
  readonly id: string;
  /** Counts from 1 within one run of the server. */
  readonly seq: number;
  /** Null when no policy was loaded. */
  readonly revision: string | null;
  readonly seat: Seat;
  readonly subject: AuditSubject;
  readonly target: AuditTarget;
  readonly effect: "allow" | "deny";
  readonly shadow: "allow" | "deny";
  readonly reason: string;
  readonly rules: readonly string[];
  readonly shadowRules: readonly string[];
  readonly owner: string | null;
  readonly ticket: string | null;
  readonly cacheHit: boolean;
  readonly requestId: string | null;
  readonly traceId: string | null;
  /** Who asked: the gateway's SPIFFE ID. */
  readonly gateway: string | null;
  readonly latencyUs: number;
  /** Values of the headers that `audit.headers.include` names, in its order; repeated ones joined with commas. Absent when it names none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Of the gateway's filter that decided, and the number it gave this decision. Absent where the server decided. */
  readonly worker?: string;
  readonly workerSeq?: number;
  /** Null while the request goes on; then an event `outcome` follows. Absent where the server decided. */
  readonly outcome?: Outcome | null;
}

/** What came of a request, by Envoy's account. */
export interface Outcome {
  /** Of the answer; null when there was none. */
  readonly status: number | null;
  /** Envoy's word for where the answer came from. */
  readonly details: string | null;
  /** Envoy's short names of what went wrong, such as `UF`. */
  readonly flags: readonly string[];
  /** Address and port that Envoy connected to, where it can tell. */
  readonly upstream: string | null;
  /** Of the request's and the answer's body. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly durationMs: number;
}

/** Who numbered a decision of the gateway seat, and what came of it. */
export interface GatewayPart {
  readonly worker: string;
  readonly workerSeq: number;
  readonly outcome: Outcome | null;
}

/** Canonical where the identity was valid, else as received. */
interface AuditSubject {
  readonly spiffeId: string;
  readonly namespace: string | null;
  readonly serviceAccount: string | null;
}

/** Host and port are canonical where the target was valid, else as received. */
interface AuditTarget {
  readonly host: string;
  readonly port: number | string | null;
  readonly protocol: "http" | "tls" | "tcp";
  /** Null on network connections. */
  readonly method: string | null;
  /** Without the query. Null on network connections. */
  readonly path: string | null;
}

/** What all requests with the same decision share. */
export type DecidedPart = Pick<
  AuditRecord,
  "revision" | "seat" | "subject" | "effect" | "shadow" | "reason" | "rules" | "shadowRules" | "owner" | "ticket"
> & { readonly target: Omit<AuditTarget, "method" | "path"> };

/** What differs from request to request. */
export type RequestPart = Pick<AuditRecord, "id" | "cacheHit" | "requestId" | "traceId" | "gateway" | "latencyUs"> &
  Pick<AuditTarget, "method" | "path"> & {
    readonly timeMs: number;
    /** Null when no headers are recorded. */
    readonly headers: HeaderValues | null;
    /** Null where the server decided. */
    readonly seated: GatewayPart | null;
  };

/** Names and values of recorded headers. */
type HeaderValues = readonly (readonly [name: string, value: string])[];

/** The shared part of a line, rendered once and kept with a cached decision. */
export interface DecidedText {
  /** `"revision":` up to and including the target's protocol. */
  readonly head: string;
  /** `"effect":` up to and including `"cacheHit":`. */
  readonly tail: string;
}

/** Renders the part of a record that does not change while a decision is cached. Texts that callers choose are capped. */
export function renderDecided(part: DecidedPart): DecidedText {
  const { subject, target } = part;
  const port = typeof target.port === "string" ? encodeText(capText(target.port)) : target.port;
  return {
    head: flat(
      `"revision":${encodeTextOrNull(part.revision)},"seat":"${part.seat}",` +
        `"subject":{"spiffeId":${encodeText(capText(subject.spiffeId))},"namespace":${encodeTextOrNull(subject.namespace)},` +
        `"serviceAccount":${encodeTextOrNull(subject.serviceAccount)}},` +
        `"target":{"host":${encodeText(capText(redactHost(target.host)))},"port":${port},"protocol":"${target.protocol}",`,
    ),
    tail: flat(
      `"effect":"${part.effect}","shadow":"${part.shadow}","reason":${encodeText(part.reason)},` +
        `"rules":${encodeJson(part.rules)},"shadowRules":${encodeJson(part.shadowRules)},` +
        `"owner":${encodeTextOrNull(part.owner)},"ticket":${encodeTextOrNull(part.ticket)},"cacheHit":`,
    ),
  };
}

/** A text in one piece. A text put together is a tree of pieces, which every line made of it would walk again. */
function flat(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8");
}

/** One record as one line of JSON, without its line end. Queries and user information are never recorded. */
export function renderRecord(seq: number, decided: DecidedText, request: RequestPart): string {
  const { method, path, requestId, traceId, gateway } = request;
  return (
    `{"time":"${isoTime(request.timeMs)}","id":"${request.id}","seq":${seq},${decided.head}` +
    `"method":${method === null ? "null" : encodeText(capText(method))},` +
    `"path":${path === null ? "null" : encodeText(capText(redactPath(path)))}},` +
    `${decided.tail}${request.cacheHit},"requestId":${requestId === null ? "null" : encodeText(capText(requestId))},` +
    `"traceId":${traceId === null ? "null" : encodeText(capText(traceId))},` +
    `"gateway":${gateway === null ? "null" : encodeText(capText(gateway))},"latencyUs":${request.latencyUs}` +
    (request.headers === null ? "" : `,"headers":{${request.headers.map(renderHeader).join(",")}}`) +
    (request.seated === null ? "}" : `${renderSeated(request.seated)}}`)
  );
}

function renderSeated({ worker, workerSeq, outcome }: GatewayPart): string {
  return `,"worker":"${worker}","workerSeq":${workerSeq},"outcome":${outcome === null ? "null" : renderOutcome(outcome)}`;
}

function renderOutcome(outcome: Outcome): string {
  const { flags } = outcome;
  return (
    `{"status":${outcome.status},"details":${encodeTextOrNull(outcome.details)},` +
    `"flags":${flags.length === 0 ? "[]" : encodeJson(flags)},"upstream":${encodeTextOrNull(outcome.upstream)},` +
    `"receivedBytes":${outcome.receivedBytes},"sentBytes":${outcome.sentBytes},"durationMs":${outcome.durationMs}}`
  );
}

function renderHeader([name, value]: HeaderValues[number]): string {
  return `${encodeText(name)}:${encodeText(capText(value))}`;
}

/** The line that says how many lines a sink lost before it. Like seals it is the sink's own and has no number. */
export function renderGap(timeMs: number, lost: number, failure: string): string {
  return encodeJson({ time: new Date(timeMs).toISOString(), event: "gap", lost, failure });
}

/** Something that happened to the policies or the server rather than a decision. `event` tells its lines from decisions. */
export interface AuditEvent {
  readonly event: string;
  readonly timeMs: number;
  /** Plain data. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** One event as one line of JSON, without its line end. */
export function renderEvent(seq: number, { event, timeMs, detail }: AuditEvent): string {
  return encodeJson({ time: new Date(timeMs).toISOString(), event, seq, ...detail });
}

let isoSecond = Number.NaN;
let isoPrefix = "";

/** RFC 3339 of an instant. Records come many a second, so the text up to the second is kept. */
function isoTime(timeMs: number): string {
  const second = Math.floor(timeMs / 1000);
  if (second !== isoSecond) {
    isoSecond = second;
    isoPrefix = new Date(second * 1000).toISOString().slice(0, -4);
  }
  const ms = timeMs - second * 1000;
  return `${isoPrefix}${ms < 10 ? "00" : ms < 100 ? "0" : ""}${ms}Z`;
}
