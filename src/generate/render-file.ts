import { createHash } from "node:crypto";
import { Document } from "yaml";
import type { FileDraft } from "./draft.ts";
import { mark } from "./mark.ts";

/** A file as it lies in the output directory. */
export interface RenderedFile {
  readonly path: string;
  readonly text: string;
}

/** Renders a draft: header comment, then its documents. Deterministic. */
export function renderFile(target: string, draft: FileDraft): RenderedFile {
  const header = [
    `${mark(target)} Do not edit: change the policies and generate anew.`,
    `# ${draft.purpose}`,
    `# source: ${[...new Set(draft.sources)].sort().join(", ")}`,
    `# inputs: ${digestOf(draft.inputs)}`,
  ];
  const documents = draft.documents.map(renderDocument);
  return { path: draft.path, text: `${header.join("\n")}\n${documents.join("---\n")}` };
}

function renderDocument(document: object): string {
  return new Document(document, { aliasDuplicateObjects: false }).toString({ lineWidth: 0, indentSeq: false });
}

/** Positions are left out: moving a document within its file changes nothing that is generated from it. */
function digestOf(inputs: unknown): string {
  const json = JSON.stringify(inputs, (key, value) => (key === "at" ? undefined : value)) ?? "null";
  return `sha256:${createHash("sha256").update(json).digest("hex").slice(0, 32)}`;
}
