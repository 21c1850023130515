import { expect, it } from "vitest";
import { loadFilter, type Pair } from "./host.ts";

const NOW_MS = Date.UTC(2026, 10, 23, 12, 34, 56, 789);

function requestWith(requestId: Buffer): readonly Pair[] {
  const text = (name: string, value: string): Pair => [name, Buffer.from(value)];
  return [text(":authority", "a.example"), text(":method", "GET"), text(":path", "/"), ["x-request-id", requestId]];
}

it("escapes each byte at each place of a text as JSON does, and leaves what is beyond ASCII as it is", () => {
  const report = loadFilter({ nowMs: NOW_MS, random: () => undefined });
  for (let length = 1; length <= 20; length += 1) {
    for (let place = 0; place < length; place += 1) {
      for (let byte = 0; byte < 256; byte += 1) {
        const text = Buffer.alloc(length, "x");
        text[place] = byte;
        const written = report(requestWith(text)).toString("latin1");
        const expected = `"requestId":${JSON.stringify(text.toString("latin1"))},"revision":null`;
        if (!written.includes(expected)) expect(written).toContain(expected);
      }
    }
  }
});

it("copies texts of every length whole", () => {
  const report = loadFilter({ nowMs: NOW_MS, random: () => undefined });
  for (let length = 1; length <= 200; length += 1) {
    const text = Buffer.from(Array.from({ length }, (_, i) => 97 + ((i * 7) % 26)));
    expect(JSON.parse(report(requestWith(text)).toString())).toHaveProperty("requestId", text.toString());
  }
});

it("draws ids of the time and of all the chance that it is given", () => {
  let last = 0;
  const chance: number[] = [];
  const random = (bytes: Uint8Array): void => {
    // Bytes are told apart, and all digits occur.
    for (let i = 0; i < bytes.length; i += 1) bytes[i] = last = (last * 5 + 3) & 255;
    if (bytes.length > 100) chance.push(...bytes);
  };
  const report = loadFilter({ nowMs: NOW_MS, random });
  for (let drawn = 0; drawn < 250; drawn += 1) {
    const { id } = JSON.parse(report(requestWith(Buffer.from("x"))).toString()) as { id: string };
    const bytes = Buffer.from(chance.slice(10 * drawn, 10 * drawn + 10));
    const time = NOW_MS.toString(16).padStart(12, "0");
    const [first, rest] = [bytes.readUInt16LE(0) & 0xfff, bytes.readUInt32LE(2) & 0x3fffffff];
    const digits = [
      `${time}7${first.toString(16).padStart(3, "0")}`,
      (0x80000000 + rest).toString(16),
      bytes.readUInt32LE(6).toString(16).padStart(8, "0"),
    ].join("");
    const parts = [
      digits.slice(0, 8),
      digits.slice(8, 12),
      digits.slice(12, 16),
      digits.slice(16, 20),
      digits.slice(20),
    ];
    expect(id).toBe(parts.join("-"));
  }
});
