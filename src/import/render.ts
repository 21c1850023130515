import { Document } from "yaml";
import type { ImportedFile } from "./documents.ts";

/** A file of an imported set as text. */
export function renderImported({ documents }: ImportedFile): string {
  return documents
    .map((each) => new Document(each, { aliasDuplicateObjects: false }).toString({ lineWidth: 0, indentSeq: false }))
    .join("---\n");
}
