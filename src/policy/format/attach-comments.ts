import type { YamlMark } from "../yaml-tokens.ts";
import { type Collection, type Comment, type DocumentLayout, type Entry, isAfterBlank, leadOf } from "./layout.ts";

/**
 * Gives every comment to the entry that it speaks of: in the entry's line, over it, or below it where it is indented deeper
 * than what comes next. What stands over the first line of a document is the document's header.
 * @param marks of the text; @param text as it was laid out
 */
export function attachComments(documents: readonly DocumentLayout[], marks: readonly YamlMark[], text: string): void {
  const starts = documentStarts(documents, marks);
  const entries = documents.map(({ root }) => (root.kind === "leaf" ? [] : [...entriesOf(root)]));
  const at = documents.map(() => 0);
  for (const mark of marks) {
    if (mark.kind !== "comment") continue;
    const { offset } = mark;
    const index = starts.findLastIndex((start) => start <= offset);
    const document = documents[index];
    const list = entries[index];
    if (document === undefined || list === undefined) continue;
    let next = at[index] ?? 0;
    while ((list[next]?.offset ?? Number.POSITIVE_INFINITY) < offset) next++;
    at[index] = next;
    const lead = leadOf(text, offset);
    const blankBefore = isAfterBlank(text, offset);
    const comment = { text: mark.text.trimEnd(), offset, column: lead.length, lead, blankBefore };
    attach(comment, document, list[next - 1], list[next]);
  }
  for (const [index, document] of documents.entries()) dropFirstBlanks(document, entries[index] ?? []);
}

/** Where each document begins: at the mark before it. Comments over the first mark are the first document's. */
function documentStarts(documents: readonly DocumentLayout[], marks: readonly YamlMark[]): number[] {
  const between = marks.filter(({ kind }) => kind !== "comment").map(({ offset }) => offset);
  return documents.map(({ root }, index) => {
    if (index === 0) return 0;
    return between.findLast((offset) => offset < Math.max(1, root.start)) ?? root.start;
  });
}

/** In the order of the text; what begins at one place from the outside in. */
function* entriesOf(collection: Collection): Generator<Entry> {
  for (const entry of collection.entries) {
    yield entry;
    if (entry.value.kind !== "leaf") yield* entriesOf(entry.value);
  }
}

function attach(comment: Comment, document: DocumentLayout, last: Entry | undefined, next: Entry | undefined): void {
  if (last === undefined) {
    document.header.push(comment);
    return;
  }
  const { offset, lead } = comment;
  const around = bracketsAround(last, offset);
  if (around !== null) openBrackets(around, last);
  if (/^[\s?:-]*$/.test(lead) && lead.trim() !== "") {
    last.before.push(comment);
  } else if (lead.trim() !== "") {
    const entry = leaveBrackets(last, offset);
    if (entry.trailing === null) entry.trailing = comment;
    else entry.after.push(comment);
  } else if (last.value.start > offset && (last.value.kind === "leaf" || last.value.bracketed)) {
    last.before.push(comment);
  } else if (around !== null) {
    if (next !== undefined && next.offset < around.end) next.before.push(comment);
    else (around.entries.at(-1) ?? last).after.push(comment);
  } else if (next !== undefined && (next.owner === last || comment.column <= next.column)) {
    next.before.push(comment);
  } else {
    deepest(leaveBrackets(last, offset), comment.column).after.push(comment);
  }
}

/** The innermost brackets that hold `offset`, seen from the entry that began last before it. */
function bracketsAround(last: Entry, offset: number): Collection | null {
  const holds = (each: Collection): boolean => each.bracketed && each.start < offset && offset < each.end;
  if (last.value.kind !== "leaf" && holds(last.value)) return last.value;
  for (let entry: Entry | null = last; entry !== null; entry = entry.owner) {
    if (holds(entry.within)) return entry.within;
  }
  return null;
}

/** Brackets with a comment in them become blocks, and so do those around them. */
function openBrackets(brackets: Collection, last: Entry): void {
  brackets.flow = false;
  for (let entry: Entry | null = last; entry !== null; entry = entry.owner) {
    if (entry.within.start <= brackets.start && entry.within.end >= brackets.end) entry.within.flow = false;
  }
}

/** The entry, or the one whose value are the brackets that end before `offset`. */
function leaveBrackets(entry: Entry, offset: number): Entry {
  const { owner, within } = entry;
  return owner !== null && within.bracketed && within.end <= offset ? leaveBrackets(owner, offset) : entry;
}

/** The innermost entry around `entry` that is indented no deeper than `column`. */
function deepest(entry: Entry, column: number): Entry {
  return entry.column <= column || entry.owner === null ? entry : deepest(entry.owner, column);
}

/** An empty line before the first thing of a map, list or document says nothing; one below a header does. */
function dropFirstBlanks(document: DocumentLayout, entries: readonly Entry[]): void {
  const [first] = entries;
  if (first !== undefined) document.headerGap = first.blankBefore;
  for (const entry of entries) {
    if (entry.within.entries[0] === entry && (entry === first || entry.before.length === 0)) entry.blankBefore = false;
  }
}
