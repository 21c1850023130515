import type { ChainState } from "./chain.ts";
import type { SegmentReading } from "./read-segment.ts";

/** A file of a trail and what it turned out to be. */
export interface VerifiedFile {
  readonly name: string;
  readonly reading: SegmentReading;
}

/** What is wrong with a trail, and where. */
export interface TrailProblem {
  readonly file: string;
  /** From 1; null for the file as a whole. */
  readonly line: number | null;
  readonly problem: string;
}

/** What can be said of a whole trail. */
export interface TrailReport {
  readonly trail: string | null;
  /** Numbers of the first and last file. */
  readonly segments: readonly [number, number] | null;
  /** Sealed records. */
  readonly records: number;
  /** Lines and bytes at the very end that no seal covers yet: of a server that is running, or was killed. */
  readonly unsealedLines: number;
  readonly tornBytes: number;
  /** Empty when everything that is sealed is what was written. */
  readonly problems: readonly TrailProblem[];
}

/**
 * Holds the files of a trail, oldest first, against each other. Unless only a part of the trail is looked at, the first must be the
 * trail's first or the one after those that the trail itself says were deleted.
 */
export function verifyTrail(files: readonly VerifiedFile[], isBeginning = true): TrailReport {
  const problems: TrailProblem[] = [];
  let before: (ChainState & { readonly name: string }) | null = null;
  let unsealedLines = 0;
  let tornBytes = 0;
  let retired = 0;
  for (const [index, { name, reading }] of files.entries()) {
    const { head, broken, hash } = reading;
    if (broken !== null) problems.push({ file: name, line: broken.line, problem: broken.problem });
    if (head === null) continue;
    if (before !== null) problems.push(...joint(name, before, head));
    retired = Math.max(retired, reading.retired);
    unsealedLines = reading.unsealed.toString("latin1").split("\n").length - 1;
    tornBytes = reading.tornBytes;
    if (index < files.length - 1 && broken === null && unsealedLines > 0) {
      // A file is sealed before the next one begins, except by a server that was killed and found it so.
      problems.push({ file: name, line: null, problem: `${unsealedLines} lines at its end have no seal` });
    }
    before = { ...head, hash, name };
  }
  const heads = files.flatMap(({ reading: { head } }) => (head === null ? [] : [head]));
  const [first] = heads;
  const last = heads.at(-1);
  if (isBeginning && first !== undefined && first.segment > retired + 1) {
    const missing = retired + 2 === first.segment ? `${retired + 1} is` : `${retired + 1} to ${first.segment - 1} are`;
    const text = `it is file ${first.segment} of the trail: ${missing} missing, and the trail does not say that they were deleted`;
    problems.push({ file: files[0]?.name ?? "", line: 1, problem: text });
  }
  return {
    trail: first?.trail ?? null,
    segments: first === undefined || last === undefined ? null : [first.segment, last.segment],
    records: files.reduce((sum, { reading }) => sum + reading.records, 0),
    unsealedLines,
    tornBytes,
    problems,
  };
}

function joint(
  name: string,
  before: ChainState & { readonly name: string },
  head: ChainState,
): readonly TrailProblem[] {
  const problem = (text: string): readonly TrailProblem[] => [{ file: name, line: 1, problem: text }];
  if (head.trail !== before.trail) return problem(`it belongs to another trail than ${before.name}`);
  if (head.segment !== before.segment + 1) {
    return problem(
      `it is file ${head.segment} of the trail, and ${before.name} is file ${before.segment}: a file is missing or out of place`,
    );
  }
  if (head.hash !== before.hash)
    return problem(`it does not go on where ${before.name} ends: that file was cut or changed`);
  return [];
}
