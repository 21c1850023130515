import type { TakeRecord } from "../analyze/evidence/recorded-request.ts";
import { readTrailLines } from "./read-trail-lines.ts";

/** Which decisions of which trail. */
export interface RecordedSpan {
  readonly file: string;
  /** Only the last so many days; null for all there are. */
  readonly days: number | null;
  readonly nowMs: number;
}

/** What was read. */
export interface TrailCounts {
  /** Decisions of that time. */
  readonly records: number;
  /** Lines that are no record of this version. */
  readonly unreadable: number;
}

const DAY_MS = 86_400_000;

/**
 * Gives `take` the requests that a trail has decisions on, the instant itself excluded. Null (after saying why, with the exit code
 * set) when it cannot be read.
 */
export async function readRecordedRequests(
  { file, days, nowMs }: RecordedSpan,
  take: TakeRecord,
): Promise<TrailCounts | null> {
  const fromMs = days === null ? null : nowMs - days * DAY_MS;
  let records = 0;
  let unreadable = 0;
  const read = await readTrailLines({ file, fromMs, toMs: nowMs }, (line) => {
    if (line === null) unreadable += 1;
    else if (!("event" in line)) {
      const timeMs = Date.parse(line.time);
      if (Number.isNaN(timeMs)) unreadable += 1;
      else if (timeMs <= nowMs && (fromMs === null || timeMs >= fromMs)) {
        records += 1;
        take(line, timeMs);
      }
    }
  });
  return read ? { records, unreadable } : null;
}
