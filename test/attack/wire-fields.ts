/** Protobuf on the wire, without a schema. */

/** A field as it stands on the wire. `value` is without tag, and for length-delimited ones without length. */
export interface Field {
  readonly number: number;
  readonly type: number;
  readonly value: Buffer;
}

export const BYTES = 2;
const GROUP = 3;

/** The fields of a message; null when the bytes are none. */
export function parseFields(bytes: Buffer): readonly Field[] | null {
  const fields: Field[] = [];
  let at = 0;
  const read = (): number | null => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[at];
      if (byte === undefined) return null;
      at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return null;
  };
  while (at < bytes.length) {
    const head = read();
    if (head === null || head < 8) return null;
    const type = head % 8;
    const start = at;
    let length: number | null = { 1: 8, 5: 4 }[type] ?? null;
    if (type === 0) {
      if (read() === null) return null;
      length = at - start;
      at = start;
    } else if (type === BYTES) length = read();
    if (length === null || type === GROUP || at + length > bytes.length) return null;
    fields.push({ number: Math.floor(head / 8), type, value: bytes.subarray(at, at + length) });
    at += length;
  }
  return fields;
}

/** Back to bytes. */
export function formatFields(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(({ number, type, value }) =>
      type === BYTES ? [tag(number, type), varint(value.length), value] : [tag(number, type), value],
    ),
  );
}

export function tag(number: number, type: number): Buffer {
  return varint(number * 8 + type);
}

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}
