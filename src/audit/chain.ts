import { createHash } from "node:crypto";

/** Where a trail stands: enough to go on sealing it. */
export interface ChainState {
  /** Names the trail; the same in all its files. */
  readonly trail: string;
  /** Counts the files of a trail from 1. */
  readonly segment: number;
  /** The last seal, in hexadecimal; of the file before while this one has none. */
  readonly hash: string;
}

/** What comes before the first file. */
export const NO_HASH = "0".repeat(64);

/**
 * The seal over bytes, in however many parts, that follow the seal `previous`: whoever changes, removes, adds or moves a byte changes this seal and
 * all after it.
 */
export function sealOf(previous: string, ...parts: readonly Uint8Array[]): string {
  const hash = createHash("sha256").update(`${previous}\n`);
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** What a seal's signature is made over. */
export function signedText({ trail, segment, hash }: ChainState): Buffer {
  return Buffer.from(`sallyport.audit/v1\n${trail}\n${segment}\n${hash}`);
}

/** The line that ends what it seals, with its line end. The signature is in base64. */
export function sealLine(segment: number, hash: string, signature: string | null): string {
  const signed = signature === null ? "" : `,"signature":"${signature}"`;
  return `{"event":"seal","segment":${segment},"hash":"${hash}"${signed}}\n`;
}

/** The line that begins a file, with its line end. It is sealed like any other. */
export function segmentLine({ trail, segment, hash }: ChainState, timeMs: number): string {
  const time = new Date(timeMs).toISOString();
  return `{"event":"segment","time":"${time}","trail":"${trail}","segment":${segment},"previous":"${hash}"}\n`;
}

/** The line that says which files are about to be deleted because they were kept for long enough: this one and all before. */
export function retiredLine(through: number): string {
  return `{"event":"retired","through":${through}}\n`;
}

/** The line that says what a crash left without a seal. */
export function repairedLine(unsealedLines: number, tornBytes: number): string {
  return `{"event":"repaired","unsealedLines":${unsealedLines},"tornBytes":${tornBytes}}\n`;
}

const SEAL =
  /^\{"event":"seal","segment":(\d{1,15}),"hash":"([0-9a-f]{64})"(?:,"signature":"([A-Za-z0-9+/]{86}==)")?\}$/;
const SEGMENT =
  /^\{"event":"segment","time":"([0-9TZ:.-]{24})","trail":"([0-9a-f-]{36})","segment":(\d{1,15}),"previous":"([0-9a-f]{64})"\}$/;
const RETIRED = /^\{"event":"retired","through":(\d{1,15})\}$/;

/** A seal as a line says it. */
export interface Seal {
  readonly segment: number;
  readonly hash: string;
  readonly signature: string | null;
}

/** A seal, if the line is one. */
export function parseSeal(line: string): Seal | null {
  const [, segment, hash, signature = null] = SEAL.exec(line) ?? [];
  return segment === undefined || hash === undefined ? null : { segment: Number(segment), hash, signature };
}

/** What a file begins with; `hash` is the last seal of the file before. */
export interface SegmentHead extends ChainState {
  /** RFC 3339, UTC: when it was begun. */
  readonly time: string;
}

/** What a file begins with, if the line says it. */
export function parseSegment(line: string): SegmentHead | null {
  const [, time, trail, segment, hash] = SEGMENT.exec(line) ?? [];
  if (time === undefined || trail === undefined || segment === undefined || hash === undefined) return null;
  return { time, trail, segment: Number(segment), hash };
}

/** The number of the last file that was deleted, if the line says it. */
export function parseRetired(line: string): number | null {
  const [, through] = RETIRED.exec(line) ?? [];
  return through === undefined ? null : Number(through);
}
