import type { PathPattern, PathSegment } from "../../policy/model.ts";

type Template = Extract<PathPattern, { readonly kind: "template" }>;

/**
 * Does every path that `inner` matches also match `outer`? Never says yes where it is not so; may miss that two patterns
 * amount to the same.
 */
export function pathCovers(outer: PathPattern, inner: PathPattern): boolean {
  if (outer.text === inner.text) return true;
  if (outer.kind === "exact") return false;
  if (outer.kind === "prefix") return leadOf(inner).startsWith(outer.prefix);
  if (inner.kind === "exact") return coversWhole(outer, inner.text.slice(1).split("/"));
  if (inner.kind === "prefix") return coversPrefix(outer, inner.prefix);
  return coversTemplate(outer, inner);
}

/** What every path of a pattern begins with. */
function leadOf(pattern: PathPattern): string {
  if (pattern.kind === "exact") return pattern.text;
  if (pattern.kind === "prefix") return pattern.prefix;
  const operator = pattern.segments.findIndex(({ kind }) => kind !== "literal");
  const literals = pattern.segments.slice(0, operator).map((each) => (each.kind === "literal" ? each.text : ""));
  return ["", ...literals, ""].join("/");
}

/** The segments before `{**}`, and whether there is one. */
function partsOf({ segments }: Template): { readonly fixed: readonly PathSegment[]; readonly open: boolean } {
  const open = segments.at(-1)?.kind === "rest";
  return { fixed: open ? segments.slice(0, -1) : segments, open };
}

function coversWhole(outer: Template, path: readonly string[]): boolean {
  const { fixed, open } = partsOf(outer);
  if (open ? path.length <= fixed.length : path.length !== fixed.length) return false;
  return fixed.every((segment, index) => takesText(segment, path[index] ?? ""));
}

/** Only `{**}` takes every end: the prefix must bring the segments before it whole, with the slash after them. */
function coversPrefix(outer: Template, prefix: string): boolean {
  const { fixed, open } = partsOf(outer);
  const whole = prefix.split("/").slice(1, -1);
  if (!open || !prefix.startsWith("/") || whole.length < fixed.length) return false;
  return fixed.every((segment, index) => takesText(segment, whole[index] ?? ""));
}

function coversTemplate(outer: Template, inner: Template): boolean {
  const one = partsOf(outer);
  const other = partsOf(inner);
  const fits = one.open
    ? one.fixed.length < other.fixed.length + (other.open ? 1 : 0)
    : !other.open && one.fixed.length === other.fixed.length;
  return fits && one.fixed.every((segment, index) => takesSegment(segment, other.fixed[index]));
}

function takesText(segment: PathSegment, text: string): boolean {
  return segment.kind === "literal" ? segment.text === text : text !== "";
}

function takesSegment(segment: PathSegment, other: PathSegment | undefined): boolean {
  if (other === undefined) return false;
  return other.kind === "literal" ? takesText(segment, other.text) : segment.kind === "any";
}

/**
 * Where patterns that can cover others are kept: under their own text when they are exact, else under the whole segments that
 * everything they match begins with.
 */
export function coveringKey(pattern: PathPattern): string {
  if (pattern.kind === "exact") return `=${pattern.text}`;
  const lead = leadOf(pattern);
  return lead.slice(0, lead.lastIndexOf("/") + 1);
}

/** The keys of all patterns that can cover this one. */
export function keysOver(pattern: PathPattern): readonly string[] {
  const lead = leadOf(pattern);
  const keys = pattern.kind === "exact" ? [`=${pattern.text}`, ""] : [""];
  for (let slash = lead.indexOf("/"); slash !== -1; slash = lead.indexOf("/", slash + 1))
    keys.push(lead.slice(0, slash + 1));
  return keys;
}
