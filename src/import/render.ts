import { Document, isCollection, isPair, isScalar, isSeq, visit } from "yaml";
import { formatPolicyFile } from "../policy/format/format.ts";
import type { ImportedFile } from "./documents.ts";

/** A file of an imported set as text, in the layout of `fmt`. */
export function renderImported({ path, documents }: ImportedFile): string {
  const text = documents.map((each) => layOut(each).toString({ lineWidth: 0, indentSeq: false })).join("---\n");
  const formatted = formatPolicyFile(path, new TextEncoder().encode(text));
  return formatted.kind === "formatted" ? formatted.text : text;
}

/** Short lists and maps in brackets, as people write them; what is too long for a line, `fmt` takes apart. */
function layOut(value: object): Document {
  const document = new Document(value, { version: "1.2", schema: "core", aliasDuplicateObjects: false });
  visit(document, {
    Collection(_key, node, ancestors) {
      // From the inside out would be too late: a list of maps is looked at before the maps.
      const leaves = node.items.map((item) => (isPair(item) ? item.value : item));
      const isShort = leaves.every(isScalar);
      const isListOfShort =
        isSeq(node) && leaves.length < 4 && leaves.every((each) => isCollection(each) && isPlain(each.items));
      if (ancestors.length > 1 && (isShort || (isListOfShort && !isTarget(leaves)))) node.flow = true;
    },
  });
  return document;
}

function isPlain(items: readonly unknown[]): boolean {
  return items.every((item) => isScalar(isPair(item) ? item.value : item));
}

/** Targets have lines of their own, however short. */
function isTarget(leaves: readonly unknown[]): boolean {
  return leaves.some((each) => isCollection(each) && each.items.length > 1);
}
