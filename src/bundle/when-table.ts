import type { WhenExpression } from "../policy/model.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { LAYOUT } from "./layout.ts";
import type { MatcherTable } from "./matcher-table.ts";
import type { StringTable } from "./string-table.ts";

/** Distinct expressions, each stored once. */
export interface WhenTable {
  /** 1 + the expression's place; 0 for none. */
  number(when: WhenExpression | null): number;
  count(): number;
  /** Writes the expressions; returns the offset of the first. */
  write(out: ByteWriter): number;
}

/** Rules' flags keep so many bits for an expression. */
const MOST = 2 ** (32 - LAYOUT.RULE_WHEN_AT) - 1;

export function createWhenTable(strings: StringTable, matchers: MatcherTable): WhenTable {
  const numbers = new Map<string, number>();
  const records: { readonly text: number; readonly reads: number; readonly headers: readonly number[] }[] = [];
  return {
    number(when) {
      if (when === null) return 0;
      const known = numbers.get(when.text);
      if (known !== undefined) return known;
      if (records.length === MOST) throw new RangeError("too many expressions for a bundle");
      const { method, path, clock, headers } = when.reads;
      const reads =
        (method ? LAYOUT.MASK_METHOD : 0) | (path ? LAYOUT.MASK_PATH : 0) | (clock ? LAYOUT.WHEN_READS_CLOCK : 0);
      const number = records.push({ text: strings.ref(when.text), reads, headers: headers.map(matchers.header) });
      numbers.set(when.text, number);
      return number;
    },
    count: () => records.length,
    write(out) {
      out.align(4);
      const lists = records.map(({ headers }) => {
        if (headers.length === 0) return 0;
        const offset = out.length;
        out.u32(headers.length);
        for (const id of headers) out.u32(id);
        return offset;
      });
      const first = out.length;
      records.forEach(({ text, reads }, i) => {
        out.u32(text);
        out.u32(reads);
        out.u32(lists[i] ?? 0);
      });
      return first;
    },
  };
}
