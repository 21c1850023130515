import type { ReceivedCheck } from "../../src/server/decode-check-request.ts";
import type { CheckRequestMessage } from "../../src/server/wire.ts";
import { CONTRACT } from "../server/harness.ts";
import { BYTES, type Field, formatFields, parseFields } from "./wire-fields.ts";

/** Messages within messages, by number: those of which there is one, and those that may be repeated. */
interface Nested {
  readonly one?: { readonly [number: number]: Nested };
  readonly many?: { readonly [number: number]: Nested };
}
const HTTP: Nested = { one: { 13: { many: { 1: {} } } }, many: { 3: {} } };
const ATTRIBUTES: Nested = { one: { 1: {}, 2: {}, 4: { one: { 2: HTTP } }, 12: {} }, many: { 10: {} } };
const CHECK_REQUEST: Nested = { one: { 1: ATTRIBUTES } };

/**
 * The same message in a form that protobufjs reads as the wire format says: parts that come twice are one (it takes the last), and fields of another type than the
 * schema's are unknown (it reads them all the same). Everything in these messages has a length.
 */
function normal(bytes: Buffer, { one = {}, many = {} }: Nested): Buffer {
  const fields = parseFields(bytes)?.filter(({ type }) => type === BYTES);
  if (fields === undefined) return bytes;
  const parts = Map.groupBy(fields, ({ number }) => number);
  const whole = fields.flatMap((field): readonly Field[] => {
    const { number, value } = field;
    if (one[number] === undefined)
      return [many[number] === undefined ? field : { ...field, value: normal(value, many[number]) }];
    const all = parts.get(number) ?? [];
    return all[0] === field
      ? [{ ...field, value: normal(Buffer.concat(all.map((each) => each.value)), one[number]) }]
      : [];
  });
  return formatFields(whole);
}

/** What the general decoder of protobufjs makes of a CheckRequest, in the terms of ours; header values in Latin-1. @throws when the bytes are none */
export function generalCheck(bytes: Buffer): Record<keyof ReceivedCheck, unknown> & { http: GeneralHttp | null } {
  const message = CONTRACT.authorizationClient.Check?.requestDeserialize(normal(bytes, CHECK_REQUEST)) as
    | CheckRequestMessage
    | undefined;
  const attributes = message?.attributes;
  const asked = attributes?.request?.http ?? null;
  const { headers } = asked ?? {};
  return {
    principal: attributes?.source?.principal ?? "",
    certificate: attributes?.source?.certificate ?? "",
    gateway: attributes?.destination?.principal ?? "",
    destinationService: attributes?.destination?.service ?? "",
    sni: attributes?.tls_session?.sni ?? "",
    port: attributes?.context_extensions?.["sallyport.port"] ?? null,
    host: attributes?.context_extensions?.["sallyport.host"] ?? null,
    http:
      asked === null
        ? null
        : {
            method: asked.method ?? "",
            path: asked.path ?? "",
            host: asked.host ?? "",
            hasRaw: (asked.header_map?.headers ?? []).length > 0,
            raw: (asked.header_map?.headers ?? []).map(asPair),
            joined: Object.entries(headers ?? {}).map(([key, value]) => [key.toLowerCase(), value] as const),
          },
  };
}

/** The HTTP part. */
export interface GeneralHttp {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly hasRaw: boolean;
  readonly raw: readonly (readonly [string, string])[];
  readonly joined: readonly (readonly [string, string])[];
}

function asPair({ key = "", value = "", raw_value }: { key?: string; value?: string; raw_value?: Uint8Array }) {
  return [key.toLowerCase(), Buffer.from(raw_value ?? value).toString("latin1")] as const;
}
