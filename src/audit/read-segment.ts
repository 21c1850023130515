import { parseRetired, parseSeal, parseSegment, type SegmentHead, sealOf } from "./chain.ts";
import type { SealCheck } from "./signature.ts";

/** What one file of a trail turned out to be. */
export interface SegmentReading {
  /** What its first line says; null when it says nothing. */
  readonly head: SegmentHead | null;
  /** Its last seal, or what came before the file. */
  readonly hash: string;
  /** Bytes up to and including the last seal that is right. */
  readonly sealedBytes: number;
  /** Whole lines after it, which no seal covers. */
  readonly unsealed: Buffer;
  /** Bytes of a last line without its end. */
  readonly tornBytes: number;
  /** Sealed lines that are neither seals nor the first line. */
  readonly records: number;
  /** The highest number of a file that a sealed line says was deleted; 0 for none. */
  readonly retired: number;
  /** The first line, counted from 1, that is not what was written; null when all seals are right. */
  readonly broken: { readonly line: number; readonly problem: string } | null;
}

const LINE_END = 0x0a;

/** Takes a file of a trail piece by piece, and follows its seals. */
export interface SegmentReader {
  push(bytes: Buffer): void;
  /** The rest cannot be read. */
  fail(problem: string): void;
  end(): SegmentReading;
}

/** A reader that holds no more than what lies between two seals. Without a check signatures are not looked at. */
export function createSegmentReader(check: SealCheck = () => null): SegmentReader {
  let head: SegmentHead | null = null;
  let hash = "";
  let held: Buffer = Buffer.alloc(0);
  /** Where, in `held`, the line that is being looked at begins. */
  let at = 0;
  let line = 0;
  /** The line after the last seal. */
  let since = 1;
  let sealedBytes = 0;
  let records = 0;
  let recordsSince = 0;
  let retired = 0;
  let retiredSince = 0;
  let broken: SegmentReading["broken"] = null;

  function look(text: string, lineEnd: number): void {
    line += 1;
    if (line === 1) {
      head = parseSegment(text);
      hash = head?.hash ?? "";
      if (head === null) broken = { line, problem: "the file does not begin as a file of a trail" };
      return;
    }
    const seal = text.startsWith('{"event":"seal"') ? parseSeal(text) : null;
    if (seal === null) {
      recordsSince += 1;
      if (text.startsWith('{"event":"retired"')) retiredSince = Math.max(retiredSince, parseRetired(text) ?? 0);
      return;
    }
    const right = sealOf(hash, held.subarray(0, at));
    if (head === null || seal.hash !== right || seal.segment !== head.segment) {
      const where = since === line - 1 ? `line ${since}` : `lines ${since} to ${line - 1}`;
      broken = { line: since, problem: `${where} are not what the seal in line ${line} was put on` };
      return;
    }
    const refusal = check({ ...head, hash: right }, seal.signature);
    if (refusal !== null) {
      broken = { line, problem: `the seal ${refusal}` };
      return;
    }
    hash = right;
    records += recordsSince;
    retired = Math.max(retired, retiredSince);
    recordsSince = 0;
    since = line + 1;
    sealedBytes += lineEnd + 1;
    held = held.subarray(lineEnd + 1);
    at = 0;
  }

  return {
    push(bytes) {
      if (broken !== null) return;
      held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
      for (let end = held.indexOf(LINE_END, at); end !== -1 && broken === null; end = held.indexOf(LINE_END, at)) {
        const before = held;
        look(held.toString("latin1", at, end), end);
        // After a seal everything up to it is let go.
        if (held === before) at = end + 1;
      }
    },
    fail(problem) {
      broken ??= { line: line + 1, problem };
    },
    end() {
      const tornBytes = broken === null ? held.length - at : 0;
      return {
        head,
        hash,
        sealedBytes,
        unsealed: Buffer.from(held.subarray(0, at)),
        tornBytes,
        records,
        retired,
        broken,
      };
    },
  };
}
