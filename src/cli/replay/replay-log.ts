import { replayPolicies } from "../../analyze/replay/decide-again.ts";
import { createReplay, type ReplayReport } from "../../analyze/replay/replay.ts";
import type { PolicyRevision } from "../policy-revision.ts";
import { readTrailLines } from "../read-trail-lines.ts";

/** What became of the requests of a log. */
interface ReplayedLog {
  readonly report: ReplayReport;
  /** Lines that are no record of this version. */
  readonly unreadable: number;
}

/** Decides the requests of a log again. Null (after saying why) when it cannot be read. */
export async function replayLog(
  log: string,
  now: PolicyRevision,
  was: readonly PolicyRevision[],
  { fromMs, toMs }: { readonly fromMs: number | null; readonly toMs: number | null },
): Promise<ReplayedLog | null> {
  const replay = createReplay(
    replayPolicies(now.set, now.engine),
    was.map(({ set, engine }) => replayPolicies(set, engine)),
  );
  let unreadable = 0;
  const read = await readTrailLines({ file: log, fromMs, toMs }, (line) => {
    if (line !== null && "event" in line) return;
    const timeMs = line === null ? Number.NaN : Date.parse(line.time);
    if (line === null || Number.isNaN(timeMs)) unreadable += 1;
    else if (timeMs >= (fromMs ?? timeMs) && timeMs <= (toMs ?? timeMs)) replay.add(line);
  });
  return read ? { report: replay.report(), unreadable } : null;
}
