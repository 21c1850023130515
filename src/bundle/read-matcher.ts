import type { PathPattern, PathSegment, RuleTarget } from "../policy/model.ts";
import type { BundleReader } from "./bundle-reader.ts";
import { LAYOUT } from "./layout.ts";

/** The conditions of the matcher at an offset; 0 = none. Each is read once. */
export type MatcherReader = (offset: number) => Omit<RuleTarget, "service" | "hosts">;

const NO_CONDITIONS: ReturnType<MatcherReader> = { ports: null, methods: null, paths: null, headers: [] };

/** Reads matchers of a bundle. */
export function createMatcherReader(bundle: Uint8Array, reader: BundleReader): MatcherReader {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const { field } = reader;
  const text = (ref: number): string => reader.text(ref) ?? "";
  const known = new Map<number, ReturnType<MatcherReader>>([[0, NO_CONDITIONS]]);

  function read(at: number): ReturnType<MatcherReader> {
    const count = (offset: number): number => view.getUint16(at + offset, true);
    const many = <T>(length: number, each: (index: number) => T): T[] => Array.from({ length }, (_, i) => each(i));
    const ports = many(count(LAYOUT.MATCHER_PORTS), (i) => view.getUint16(at + LAYOUT.MATCHER_DATA + i * 2, true));
    const methodsAt = at + LAYOUT.MATCHER_DATA + ((ports.length * 2 + 3) & ~3);
    const methods = many(count(LAYOUT.MATCHER_METHODS), (i) => text(field(methodsAt + i * 4)));
    const pathsAt = methodsAt + methods.length * 4;
    const paths = many(count(LAYOUT.MATCHER_PATHS), (i) => pathAt(field(pathsAt + i * 4)));
    let next = pathsAt + paths.length * 4;
    const headers = many(count(LAYOUT.MATCHER_HEADERS), () => {
      const from = next + 8;
      const values = many(field(next + 4), (i) => text(field(from + i * 4)));
      const name = reader.header(field(next));
      next = from + values.length * 4;
      return { name, values };
    });
    const some = <T>(list: readonly T[]): readonly T[] | null => (list.length === 0 ? null : list);
    return { ports: some(ports), methods: some(methods), paths: some(paths), headers };
  }

  function pathAt(at: number): PathPattern {
    const kind = view.getUint16(at + LAYOUT.PATH_KIND, true);
    const refs = Array.from({ length: view.getUint16(at + LAYOUT.PATH_SEGMENTS, true) }, (_, i) =>
      field(at + LAYOUT.PATH_DATA + i * 4),
    );
    const first = text(refs[0] ?? 0);
    if (kind === LAYOUT.PATH_EXACT) return { kind: "exact", text: first };
    if (kind === LAYOUT.PATH_PREFIX) return { kind: "prefix", text: `${first}*`, prefix: first };
    const segments = refs.map(
      (ref): PathSegment => (ref === 0 ? { kind: "any" } : { kind: "literal", text: text(ref) }),
    );
    if (kind === LAYOUT.PATH_TEMPLATE_REST) segments.push({ kind: "rest" });
    return { kind: "template", text: segments.map(segmentText).join(""), segments };
  }

  return (offset) => {
    const found = known.get(offset);
    if (found !== undefined) return found;
    const made = read(offset);
    known.set(offset, made);
    return made;
  };
}

function segmentText(segment: PathSegment): string {
  if (segment.kind === "literal") return `/${segment.text}`;
  return segment.kind === "any" ? "/{*}" : "/{**}";
}
