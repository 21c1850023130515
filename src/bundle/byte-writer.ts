const utf8 = new TextEncoder();

/** A growing little-endian buffer. Offsets are absolute from the first byte written. */
export class ByteWriter {
  #bytes = Buffer.alloc(1 << 16);
  #view = viewOf(this.#bytes);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  #reserve(size: number): number {
    const at = this.#length;
    const needed = at + size;
    if (needed > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = viewOf(grown);
    }
    this.#length = needed;
    return at;
  }

  /** A text's UTF-8, behind its length in a u16. A RangeError refuses texts of more than 65,535 bytes. */
  text(value: string): void {
    const at = this.#reserve(2 + 3 * value.length);
    const length = this.#bytes.write(value, at + 2, "utf8");
    if (length > 0xffff) throw new RangeError(`a text of ${length} bytes does not fit into a bundle`);
    this.#view.setUint16(at, length, true);
    // What was reserved beyond the text stays zero: nothing is written there.
    this.#length = at + 2 + length;
  }

  u8(value: number): void {
    const at = this.#reserve(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#reserve(2);
    this.#view.setUint16(at, value, true);
  }

  u32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value, true);
  }

  f64(value: number): void {
    const at = this.#reserve(8);
    this.#view.setFloat64(at, value, true);
  }

  bytes(value: Uint8Array): void {
    const at = this.#reserve(value.length);
    this.#bytes.set(value, at);
  }

  /** Zeroes up to the next multiple of `size`. */
  align(size: number): void {
    const over = this.#length % size;
    if (over !== 0) this.#reserve(size - over);
  }

  /** `size` zero bytes; returns their offset, to be filled with `setU32`. */
  zeros(size: number): number {
    return this.#reserve(size);
  }

  setU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  getU32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.#length));
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** UTF-8 bytes of a text. */
export function encodeText(text: string): Uint8Array {
  return utf8.encode(text);
}
