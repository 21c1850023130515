/** Mutations of protobuf messages: of their structure, as far as bytes read as fields, and of bytes as such. Everything follows from the numbers that are drawn. */

import { BYTES, type Field, formatFields, parseFields, tag, varint } from "./wire-fields.ts";

/** Draws whole numbers below a bound. */
export type Draw = (below: number) => number;

/** Numbers that follow from a seed. */
export function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const HOSTILE = [
  "",
  "\0",
  "a\0b",
  "\xff\xfe",
  "\xed\xa0\x80",
  "spiffe://",
  "spiffe://cluster.local/ns/payments/sa/checkout\0",
  "spiffe://cluster.local/ns/payments/sa/checkout,spiffe://x/y",
  "SPIFFE://cluster.local/ns/a/sa/b",
  "api.stripe.com\0.evil.example",
  "api.stripe.com:80@evil.example",
  "[::1]",
  "127.0.0.1",
  "..",
  "/..;/",
  "/%2e%2e/%2f",
  "//",
  "\u2028\r\n",
  "a,b",
  "-1",
  "4294967376",
  "080",
  "host",
  ":path",
  ":authority",
  "connection",
  "upgrade",
  "__proto__",
  "constructor",
  "{*}",
  "*.example.com",
  "é",
].map((text) => Buffer.from(text, "latin1"));

/** A message that was changed in one to four places. */
export function mutate(message: Buffer, others: readonly Buffer[], draw: Draw): Buffer {
  let changed = message;
  for (let times = 1 + draw(4); times > 0; times -= 1) {
    changed = draw(4) === 0 ? turnBytes(changed, draw) : changeStructure(changed, others, draw, 0);
  }
  return changed.subarray(0, 300_000);
}

function turnBytes(bytes: Buffer, draw: Draw): Buffer {
  const at = draw(bytes.length + 1);
  switch (draw(4)) {
    case 0: {
      const turned = Buffer.from(bytes);
      if (at < turned.length) turned[at] = (turned[at] ?? 0) ^ (1 << draw(8));
      return turned;
    }
    case 1:
      return Buffer.concat([bytes.subarray(0, at), noise(1 + draw(12), draw), bytes.subarray(at)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + draw(12))]);
    default:
      return bytes.subarray(0, at);
  }
}

function noise(length: number, draw: Draw): Buffer {
  return Buffer.from(Array.from({ length }, () => draw(256)));
}

function changeStructure(bytes: Buffer, others: readonly Buffer[], draw: Draw, depth: number): Buffer {
  const fields = parseFields(bytes);
  if (fields === null || fields.length === 0) return draw(2) === 0 ? hostile(draw) : turnBytes(bytes, draw);
  const at = draw(fields.length);
  const field = fields[at] as Field;
  if (field.type === BYTES && depth < 12 && draw(5) > 0) {
    return formatFields(fields.with(at, { ...field, value: changeStructure(field.value, others, draw, depth + 1) }));
  }
  return formatFields(changeFields(fields, at, others, draw));
}

function changeFields(fields: readonly Field[], at: number, others: readonly Buffer[], draw: Draw): readonly Field[] {
  const field = fields[at] as Field;
  switch (draw(10)) {
    case 0:
      return fields.toSpliced(at, 1);
    case 1:
      return fields.toSpliced(draw(fields.length + 1), 0, field);
    case 2: {
      const other = draw(fields.length);
      return fields.with(at, fields[other] as Field).with(other, field);
    }
    case 3:
      return fields.with(at, { ...field, type: [0, 1, 2, 5, 3, 4, 6, 7][draw(8)] ?? 0 });
    case 4:
      return fields.with(at, { ...field, value: hostile(draw) });
    case 5:
      return fields.with(at, { ...field, value: repeated(field.value, 1 + draw(draw(8) === 0 ? 2_000 : 20)) });
    case 6:
      return fields.toSpliced(at, 0, {
        number: [15, 99, 1_000, 536_870_911][draw(4)] ?? 15,
        type: draw(8),
        value: noise(draw(9), draw),
      });
    case 7:
      return [...fields, { number: field.number, type: BYTES, value: nested(1 + draw(3_000)) }];
    case 8: {
      const copies = Array.from({ length: 300 }, () => field);
      return copies.length * field.value.length > 200_000 ? fields : [...fields, ...copies];
    }
    default: {
      const other = others[draw(others.length)] ?? Buffer.alloc(0);
      return [...fields, ...(parseFields(other) ?? [])];
    }
  }
}

function hostile(draw: Draw): Buffer {
  return HOSTILE[draw(HOSTILE.length)] ?? Buffer.alloc(0);
}

function repeated(value: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: Math.min(times, Math.ceil(200_000 / (value.length + 1))) }, () => value));
}

/** What a deep Struct is: a field 1 in a field 1 in a field 1. */
function nested(depth: number): Buffer {
  let inner = Buffer.alloc(0);
  for (let n = 0; n < depth; n += 1) inner = Buffer.concat([tag(1, BYTES), varint(inner.length), inner]);
  return inner;
}
