import { spanText } from "../span.ts";
import type { Finding } from "./finding.ts";
import type { Suppression } from "./suppressions.ts";

/** A finding that a comment keeps quiet. */
export interface SuppressedFinding {
  readonly finding: Finding;
  readonly suppression: Suppression;
}

/** Findings parted by the suppressions that hold, and what is to be said of the suppressions themselves. */
export interface Parted {
  readonly findings: readonly Finding[];
  readonly suppressed: readonly SuppressedFinding[];
}

/** @param judged whether findings of a code were looked for at all: only then can a suppression be idle */
export function suppress(
  findings: readonly Finding[],
  suppressions: readonly Suppression[],
  nowMs: number,
  judged: (code: Finding["code"]) => boolean,
): Parted {
  const byFile = Map.groupBy(suppressions, ({ file }) => file);
  const needed = new Set<Suppression>();
  const left: Finding[] = [];
  const suppressed: SuppressedFinding[] = [];
  for (const finding of findings) {
    const own = (byFile.get(finding.at.file) ?? []).filter((each) => isFor(each, finding));
    for (const each of own) needed.add(each);
    const suppression = own.find(({ until }) => until > nowMs);
    if (suppression === undefined) left.push(finding);
    else suppressed.push({ finding, suppression });
  }
  const said = suppressions.flatMap((each) => aboutItself(each, needed.has(each), nowMs, judged(each.code)));
  return { findings: [...left, ...said], suppressed };
}

function isFor({ code, first, last }: Suppression, finding: Finding): boolean {
  return finding.code === code && finding.at.line >= first && finding.at.line <= last;
}

function aboutItself(suppression: Suppression, needed: boolean, nowMs: number, judged: boolean): Finding[] {
  const { code, until, file, line, column } = suppression;
  const base = { at: { file, line, column }, subject: null, related: [] };
  if (until <= nowMs) {
    const message = `the suppression of \`${code}\` ended ${spanText(nowMs - until)} ago`;
    const fix = needed ? "mend what it was to hide, or give it a new end" : "remove it: there is nothing left to hide";
    return [{ code: "expired-suppression", message, ...base, fix }];
  }
  if (needed || !judged) return [];
  return [
    { code: "unused-suppression", message: `there is no \`${code}\` here to suppress`, ...base, fix: "remove it" },
  ];
}
