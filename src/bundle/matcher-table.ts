import { createListText } from "../policy/list-text.ts";
import type { PathPattern, RuleTarget } from "../policy/model.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { LAYOUT } from "./layout.ts";
import { numbersOf } from "./numbers.ts";
import type { StringTable } from "./string-table.ts";

interface Matcher {
  readonly ports: readonly number[];
  readonly methods: readonly number[];
  readonly paths: readonly number[];
  readonly headers: readonly { readonly id: number; readonly values: readonly number[] }[];
}

interface Path {
  readonly kind: number;
  readonly refs: readonly number[];
}

/** Distinct sets of conditions (ports, methods, paths, headers), each stored once. */
export interface MatcherTable {
  /** A number for the target's conditions; -1 when it has none. */
  matcher(target: Omit<RuleTarget, "service" | "hosts">): number;
  /** The id of a header that something looks at. */
  header(name: string): number;
  headerRefs(): readonly number[];
  /** Writes paths and matchers; returns the bundle offset of each matcher by its number. */
  write(out: ByteWriter): Uint32Array;
}

export function createMatcherTable(strings: StringTable): MatcherTable {
  const matchers = new Map<string, number>();
  const list: Matcher[] = [];
  const paths = new Map<string, number>();
  const pathList: Path[] = [];
  const headers = new Map<string, number>();
  const textOf = createListText();

  function path(pattern: PathPattern): number {
    const known = paths.get(pattern.text);
    if (known !== undefined) return known;
    paths.set(pattern.text, pathList.length);
    return pathList.push(encodePath(pattern, strings)) - 1;
  }
  function header(name: string): number {
    const known = headers.get(name);
    if (known !== undefined) return known;
    const id = headers.size;
    headers.set(name, id);
    strings.ref(name);
    return id;
  }
  return {
    matcher(target) {
      if (target.ports === null && target.methods === null && target.paths === null && target.headers.length === 0) {
        return -1;
      }
      const { ports, methods } = target;
      const key = textOf(ports) + textOf(methods) + textOf(target.paths, textOfPath) + textOf(target.headers);
      const known = matchers.get(key);
      if (known !== undefined) return known;
      matchers.set(key, list.length);
      return (
        list.push({
          ports: target.ports ?? [],
          methods: (target.methods ?? []).map((m) => strings.ref(m)),
          paths: (target.paths ?? []).map(path),
          headers: target.headers.map((h) => ({ id: header(h.name), values: h.values.map((v) => strings.ref(v)) })),
        }) - 1
      );
    },
    header,
    headerRefs: () => [...headers.keys()].map((name) => strings.ref(name)),
    write(out) {
      const pathOffsets = pathList.map((p) => writePath(out, p));
      return numbersOf(list, (m) => writeMatcher(out, m, pathOffsets));
    },
  };
}

function textOfPath({ text }: PathPattern): string {
  return text;
}

function encodePath(pattern: PathPattern, strings: StringTable): Path {
  if (pattern.kind === "exact") return { kind: LAYOUT.PATH_EXACT, refs: [strings.ref(pattern.text)] };
  if (pattern.kind === "prefix") return { kind: LAYOUT.PATH_PREFIX, refs: [strings.ref(pattern.prefix)] };
  const rest = pattern.segments.at(-1)?.kind === "rest";
  const segments = rest ? pattern.segments.slice(0, -1) : pattern.segments;
  const refs = segments.map((s) => (s.kind === "literal" ? strings.ref(s.text) : 0));
  return { kind: rest ? LAYOUT.PATH_TEMPLATE_REST : LAYOUT.PATH_TEMPLATE, refs };
}

function writePath(out: ByteWriter, path: Path): number {
  out.align(4);
  const offset = out.length;
  out.u16(path.kind);
  out.u16(path.refs.length);
  for (const ref of path.refs) out.u32(ref);
  return offset;
}

function writeMatcher(out: ByteWriter, matcher: Matcher, pathOffsets: readonly number[]): number {
  out.align(4);
  const offset = out.length;
  out.u16(matcher.ports.length);
  out.u16(matcher.methods.length);
  out.u16(matcher.paths.length);
  out.u16(matcher.headers.length);
  for (const port of matcher.ports) out.u16(port);
  out.align(4);
  for (const ref of matcher.methods) out.u32(ref);
  for (const index of matcher.paths) out.u32(pathOffsets[index] ?? 0);
  for (const { id, values } of matcher.headers) {
    out.u32(id);
    out.u32(values.length);
    for (const ref of values) out.u32(ref);
  }
  return offset;
}
