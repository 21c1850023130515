import { isMap, isPair, isScalar, isSeq, parseDocument, Scalar, visit } from "yaml";
import { placeOf } from "../policy/place.ts";
import { valueAt } from "../policy/schema-at.ts";
import type { DocumentPath } from "../policy/yaml-source.ts";

/** What stands at a place of a policy file that may be half written. */
export interface Place {
  /** Of the document, as far as it can be read. */
  readonly value: unknown;
  readonly kind: string | null;
  /** Whose the document is, by its directory or by what it says; null when neither says. */
  readonly namespace: string | null;
  /** To the value, for a key to the map that it is in. */
  readonly path: DocumentPath;
  readonly role: "key" | "value";
  /** What is written there; for completion, as far as the cursor. */
  readonly text: string;
  /** Offsets of the text in the file. */
  readonly start: number;
  readonly end: number;
  /** The other keys of the map; only for a key. */
  readonly siblings: readonly string[];
}

/** Longer documents are not looked into while somebody types. */
const MOST_CHARACTERS = 256 * 1024;
/** Stands where the cursor is, so that there is something to find. Nobody means this character. */
const MARK = "\u{10fffd}";

/** What could be written at `offset`. Null when nothing can be made of what is around. */
export function placeToComplete(file: string, text: string, offset: number): Place | null {
  const { chunk, start } = documentAround(text, offset);
  const at = offset - start;
  const marked = `${chunk.slice(0, at)}${MARK}${chunk.slice(at)}`;
  const found = scalarsOf(marked).find(({ node }) => typeof node.value === "string" && node.value.includes(MARK));
  if (found === undefined) return null;
  const from = start + (found.node.range?.[0] ?? at) + (isQuoted(found.node) ? 1 : 0);
  // A text of several lines is taken from the cursor's own line.
  const begin = Math.max(from, text.lastIndexOf("\n", offset - 1) + 1);
  return { ...placed(file, chunk, found), text: text.slice(begin, offset), start: begin, end: offset };
}

/** What is written at `offset`; null when no text is. */
export function placeAt(file: string, text: string, offset: number): Place | null {
  const { chunk, start } = documentAround(text, offset);
  const at = offset - start;
  const found = scalarsOf(chunk).find(({ node }) => {
    const [from, to] = node.range ?? [0, -1];
    return from <= at && at <= to && from < to;
  });
  if (found === undefined) return null;
  const [from = 0, to = 0] = found.node.range ?? [];
  const { value } = found.node;
  return { ...placed(file, chunk, found), text: String(value ?? ""), start: start + from, end: start + to };
}

interface FoundScalar {
  readonly node: Scalar;
  readonly path: DocumentPath;
  readonly role: "key" | "value";
  readonly siblings: readonly string[];
}

/** The document that holds `offset`. */
function documentAround(text: string, offset: number): { readonly chunk: string; readonly start: number } {
  let start = 0;
  let end = text.length;
  for (const { index, 0: mark } of text.matchAll(/^(---|\.\.\.)(?=\s|$).*\n?/gm)) {
    if (index + mark.length <= offset) start = index + mark.length;
    else if (index >= offset) {
      end = index;
      break;
    }
  }
  return { chunk: text.slice(start, end), start };
}

function parse(chunk: string) {
  const quiet = { prettyErrors: false, uniqueKeys: false, logLevel: "silent" } as const;
  return parseDocument(chunk, { ...quiet, version: "1.2", schema: "core" });
}

/** Every scalar with the way to it. None when the text cannot be read at all. */
function scalarsOf(chunk: string): FoundScalar[] {
  const found: FoundScalar[] = [];
  if (chunk.length > MOST_CHARACTERS) return found;
  try {
    visit(parse(chunk), {
      Scalar(role, node, ancestors) {
        const path: (string | number)[] = [];
        for (const [index, above] of ancestors.entries()) {
          const below: unknown = ancestors[index + 1] ?? node;
          if (isSeq(above)) path.push(above.items.indexOf(below));
          else if (isPair(above) && below !== above.key) path.push(String(isScalar(above.key) ? above.key.value : ""));
        }
        const map = ancestors.findLast(isMap);
        const keys = role !== "key" ? [] : (map?.items ?? []).map(({ key }) => key).filter((key) => key !== node);
        const siblings = keys.map((key) => String(isScalar(key) ? key.value : ""));
        found.push({ node, path, role: role === "key" ? "key" : "value", siblings });
      },
    });
  } catch {
    return [];
  }
  return found;
}

function placed(file: string, chunk: string, { path, role, siblings }: FoundScalar) {
  const value = plain(chunk);
  const kind = valueAt(value, ["kind"]);
  const named = valueAt(value, ["metadata", "namespace"]);
  const directory = placeOf(file);
  const namespace = directory !== "" ? directory : typeof named === "string" ? named : null;
  return { value, kind: typeof kind === "string" ? kind : null, namespace, path, role, siblings };
}

function plain(chunk: string): unknown {
  try {
    return parse(chunk).toJS({ maxAliasCount: 0 });
  } catch {
    return null;
  }
}

function isQuoted({ type }: Scalar): boolean {
  return type === Scalar.QUOTE_DOUBLE || type === Scalar.QUOTE_SINGLE;
}
