import protobuf from "protobufjs/minimal.js";
import { z } from "zod";
import { textOf } from "../http-headers.ts";

/** What the filter tells of one request, in its filter state (src/filter/report.ts). */
export type Report = AskedReport | DecidedReport;

interface Origin {
  readonly worker: string;
  readonly number: number;
}

/** The server was asked: the record is there already. */
interface AskedReport extends Origin {
  readonly asked: true;
}

/** The gateway has decided. */
export interface DecidedReport extends Origin {
  readonly asked: false;
  readonly id: string;
  readonly ns: number;
  readonly method: string;
  readonly path: string;
  readonly requestId: string | null;
  readonly traceparent: string | null;
  /** Null where none are recorded. */
  readonly headers: Readonly<Record<string, string>> | null;
  /** JSON of `SharedReport` behind its opening brace: the same text for the same decision. */
  readonly shared: string;
}

const effect = z.enum(["allow", "deny"]);
const texts = z.array(z.string());
const Shared = z.strictObject({
  revision: z.string().nullable(),
  subject: z.string(),
  namespace: z.string().nullable(),
  serviceAccount: z.string().nullable(),
  host: z.string(),
  port: z.union([z.number(), z.string()]),
  effect,
  shadow: effect,
  // A label of metrics, too.
  reason: z.string().regex(/^[a-z-]{1,40}$/),
  rules: texts,
  shadowRules: texts,
  owner: z.string().nullable(),
  ticket: z.string().nullable(),
});

/** What requests with the same decision share. */
export type SharedReport = z.infer<typeof Shared>;

const NAME = /^[0-9a-f]{32}$/;
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const SHARED = ',"revision":';

/** Reads the value of a `google.protobuf.BytesValue`. @throws when it is none, or nothing that a filter tells */
export function readReport(value: Uint8Array): Report {
  const reader = protobuf.Reader.create(value);
  if (reader.uint32() !== 0x0a) throw new Error("it is no BytesValue");
  const text = textOf(reader.bytes());
  // Quotes within texts are escaped, so this is the field; a header may have the same name, but stands before.
  const at = text.lastIndexOf(SHARED);
  const own = JSON.parse(at === -1 ? text : `${text.slice(0, at)}}`) as Record<string, unknown>;
  const { worker, number } = own;
  if (typeof worker !== "string" || !NAME.test(worker)) throw new Error("it names no worker");
  if (!Number.isSafeInteger(number) || Number(number) < 1) throw new Error("it has no number");
  const origin = { worker, number: Number(number) };
  if (own.asked === true) return { ...origin, asked: true };
  const { id, ns, method, path, requestId = null, traceparent = null, headers = null } = own;
  if (at === -1 || typeof id !== "string" || !ID.test(id)) throw new Error("it names no decision");
  if (typeof ns !== "number" || typeof method !== "string" || typeof path !== "string" || !isTextOrNull(requestId)) {
    throw new Error("it does not describe a request");
  }
  if (!isTextOrNull(traceparent) || !isHeaders(headers)) throw new Error("it does not describe a request");
  return {
    ...origin,
    asked: false,
    id,
    ns,
    method,
    path,
    requestId,
    traceparent,
    headers,
    shared: text.slice(at + 1),
  };
}

/** Reads `shared` of a report. @throws when it is not what a filter tells */
export function readShared(shared: string): SharedReport {
  return Shared.parse(JSON.parse(`{${shared}`));
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}

function isHeaders(value: unknown): value is Readonly<Record<string, string>> | null {
  if (value === null) return true;
  return typeof value === "object" && Object.values(value).every((each) => typeof each === "string");
}
