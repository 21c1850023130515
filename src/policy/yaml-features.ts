import { isAlias, isCollection, isMap, isPair, isScalar, type ParsedNode, visit, type YAMLMap } from "yaml";
import type { DiagnosticCode } from "./diagnostic-codes.ts";
import { LIMITS } from "./limits.ts";

type Report = (code: DiagnosticCode, message: string, offset: number, fix?: string | null) => void;

/** Reports what YAML has and the language does not: aliases, anchors, tags, keys that stand twice, depth beyond measure. */
export function refuseFeatures(contents: ParsedNode, text: string, report: Report): void {
  visit(contents, (_key, node, ancestors) => {
    if (isPair(node)) {
      // A key of this name would vanish on its way into an object, and a condition with it.
      if (isScalar(node.key) && node.key.value === "__proto__") {
        report("unknown-key", "`__proto__` is not a key here", startOf(node.key));
      }
      return undefined;
    }
    if (isAlias(node)) {
      const fix = `"*${node.source}"`;
      report("yaml-alias", "a value that begins with `*` is a YAML alias", startOf(node), fix);
      return undefined;
    }
    if (!isScalar(node) && !isCollection(node)) return undefined;
    if (ancestors.length >= LIMITS.depth && ancestors.filter(isCollection).length >= LIMITS.depth) {
      if (!isCollection(node)) return undefined;
      report("too-deep", `collections are nested more than ${LIMITS.depth} deep`, startOf(node));
      return visit.BREAK;
    }
    if (isMap(node)) refuseTwins(node, report);
    const { anchor, tag } = node as { anchor?: string; tag?: string };
    if (anchor !== undefined) {
      const message = `\`&${anchor}\` is a YAML anchor: write the value out wherever it is meant`;
      report("yaml-anchor", message, before(text, `&${anchor}`, startOf(node)));
    }
    if (tag !== undefined) {
      report("yaml-tag", "a YAML tag is not allowed: text stands in quotes", before(text, "!", startOf(node)));
    }
    return undefined;
  });
}

/** Keys that stand twice. The parser would compare each key with each. */
function refuseTwins(map: YAMLMap, report: Report): void {
  const seen = new Set<unknown>();
  for (const { key } of map.items) {
    if (!isScalar(key)) continue;
    if (seen.has(key.value)) report("duplicate-key", `\`${key.value}\` stands in this map twice`, startOf(key));
    seen.add(key.value);
  }
}

/** Where a node's own text begins; its anchor and tag stand before. */
export function startOf(node: unknown): number {
  return (node as { range?: readonly number[] | null } | null)?.range?.[0] ?? 0;
}

/** The last `sign` at or before `offset`. */
function before(text: string, sign: string, offset: number): number {
  let found = text.lastIndexOf(sign, offset);
  while (sign === "!" && text[found - 1] === "!") found -= 1;
  return found < 0 ? offset : found;
}
