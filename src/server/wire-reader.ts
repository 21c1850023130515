import protobuf from "protobufjs/minimal.js";
import type { WantedNames } from "./wanted-names.ts";

const VARINT = 0;
const BYTES = 2;
const GROUP = 3;
/** Bytes of the longest varint. */
const LONGEST = 10;

/** The library's reader, and bounds that it leaves open: nothing reaches beyond the message it lies in. */
export class WireReader {
  private readonly reader: protobuf.Reader;
  private readonly bytes: Buffer;
  private tag = 0;
  private type = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.reader = protobuf.Reader.create(bytes);
  }

  get at(): number {
    return this.reader.pos;
  }
  set at(position: number) {
    this.reader.pos = position;
  }

  /** The next field's number; 0, which no field has, when it has no length. */
  field(): number {
    this.tag = this.reader.uint32();
    this.type = this.tag & 7;
    return this.type === BYTES ? this.tag >>> 3 : 0;
  }

  /** The same of the field that was just read, when it is a varint. */
  varintField(): number {
    return this.type === VARINT ? this.tag >>> 3 : 0;
  }

  /** A varint of at most 32 bits; of longer ones the lowest. */
  uint32(): number {
    return this.reader.uint32();
  }

  /** A varint of at most 64 bits, to 53 bits exact. */
  uint64(): number {
    let value = 0;
    let scale = 1;
    for (let length = 0; length < LONGEST; length += 1) {
      const byte = this.bytes[this.reader.pos];
      if (byte === undefined) break;
      this.reader.pos += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new RangeError("a number does not end");
  }

  /** Skips the field whose number was just read. @throws for groups, which nothing of Envoy's has: where one ends is not told by a length */
  skip(): void {
    if (this.type === VARINT) this.reader.skip();
    else if (this.type === GROUP) throw new RangeError("a group");
    else this.reader.skipType(this.type);
  }

  /** Where the length-delimited field that comes next ends. */
  nested(limit: number): number {
    const length = this.reader.uint32();
    const end = this.reader.pos + length;
    if (end > limit) throw new RangeError(`a field of ${length} bytes reaches beyond its message`);
    return end;
  }

  text(limit: number): string {
    const end = this.nested(limit);
    const start = this.reader.pos;
    this.reader.pos = end;
    return start === end ? "" : this.bytes.toString("utf8", start, end);
  }

  /** Which of the names comes, or null when none. */
  wanted(limit: number, names: WantedNames): string | null {
    const end = this.nested(limit);
    const start = this.reader.pos;
    this.reader.pos = end;
    return names.find(this.bytes, start, end);
  }

  /** A part of the message, which is kept as long as this is. */
  part(limit: number): Buffer {
    const end = this.nested(limit);
    const start = this.reader.pos;
    this.reader.pos = end;
    return this.bytes.subarray(start, end);
  }

  asciiOrBytes(limit: number): string | Uint8Array {
    const end = this.nested(limit);
    const start = this.reader.pos;
    this.reader.pos = end;
    for (let at = start; at < end; at += 1) {
      if ((this.bytes[at] ?? 0) > 0x7f) return this.bytes.subarray(start, end);
    }
    return this.bytes.toString("latin1", start, end);
  }

  /** @throws when a field reached beyond the message that ends here */
  ended(end: number): void {
    if (this.reader.pos !== end) throw new RangeError("a field reaches beyond its message");
  }
}
