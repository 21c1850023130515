import { describe, expect, it, vi } from "vitest";
import { printJson, printLongJson } from "../../src/cli/output.ts";

/** What a function writes on standard output. */
function written(print: () => void): readonly string[] {
  const pieces: string[] = [];
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((piece) => {
    pieces.push(String(piece));
    return true;
  });
  try {
    print();
  } finally {
    spy.mockRestore();
  }
  return pieces;
}

describe("a document with a long list", () => {
  it.each([0, 1, 199, 200, 201, 1000])("is printed as any other, with %s entries", (many) => {
    const entries = Array.from({ length: many }, (_, at) => ({ at, deep: { list: [at, '\n  "list": []'], none: [] } }));
    const document = { before: '\n  "list": []', list: [], after: { list: [] } };
    const whole = written(() => printJson({ ...document, list: entries })).join("");
    const pieces = written(() => printLongJson(document, "list", entries, (entry) => entry));
    expect(pieces.join("")).toBe(whole);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(40_000);
  });
});
