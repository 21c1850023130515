import { ByteWriter } from "./byte-writer.ts";

/** Interned strings, each once, as [length u16, bytes], in the order first asked for. */
export interface StringTable {
  /** The bundle offset of a text; 0 stands for null. Texts over 65,535 bytes of UTF-8 are refused with a RangeError. */
  ref(text: string | null): number;
  bytes(): Uint8Array;
}

/** `base` is the bundle offset at which the table will be written. */
export function createStringTable(base: number): StringTable {
  const writer = new ByteWriter();
  const offsets = new Map<string, number>();
  return {
    ref(text) {
      if (text === null) return 0;
      const known = offsets.get(text);
      if (known !== undefined) return known;
      const offset = base + writer.length;
      writer.text(text);
      offsets.set(text, offset);
      return offset;
    },
    bytes: () => writer.finish(),
  };
}
