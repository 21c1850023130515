import { isDeepStrictEqual } from "node:util";
import { Document, isCollection, isNode, parseAllDocuments } from "yaml";
import { formatPolicyFile } from "../../policy/format/format.ts";

/** A comment over a value or at the end of its line. One line a text. */
export interface DraftComment {
  readonly path: readonly (string | number)[];
  readonly before?: readonly string[];
  readonly after?: string;
}

/** A document before it is text. */
export interface DraftDocument {
  readonly value: Readonly<Record<string, unknown>>;
  /** Values that stand on one line. */
  readonly flow: readonly (readonly (string | number)[])[];
  readonly comments: readonly DraftComment[];
}

/** A file before it is text. */
export interface DraftFile {
  /** Relative to the policy directory, with `/`. */
  readonly path: string;
  /** Above everything. */
  readonly head: readonly string[];
  readonly documents: readonly DraftDocument[];
}

/** The text of a file, in the canonical layout. @throws when the text does not say what the documents say: nothing in a value or comment may become YAML */
export function textOf({ path, head, documents }: DraftFile): string {
  const drafted = documents.map((each, index) => documentText(each, index === 0 ? head : [])).join("---\n");
  const formatted = formatPolicyFile(path, new TextEncoder().encode(drafted));
  if (formatted.kind !== "formatted") throw new RangeError(`the text of ${path} is not what a policy file can be`);
  const { text } = formatted;
  const back = parseAllDocuments(text, { stringKeys: true, version: "1.2", schema: "core" });
  const said = Array.isArray(back) ? back.map((each) => each.toJS({ maxAliasCount: 0 })) : [];
  const fine = Array.isArray(back) && back.every(({ errors }) => errors.length === 0);
  if (
    !fine ||
    !isDeepStrictEqual(
      said,
      documents.map(({ value }) => value),
    )
  )
    throw new RangeError(`the text of ${path} does not say what was learnt`);
  return text;
}

function documentText({ value, flow, comments }: DraftDocument, head: readonly string[]): string {
  const document = new Document(value, { version: "1.2", schema: "core", aliasDuplicateObjects: false });
  for (const path of flow) {
    const node = document.getIn(path, true);
    if (isCollection(node)) node.flow = true;
  }
  for (const { path, before, after } of comments) {
    const node = document.getIn(path, true);
    if (!isNode(node)) throw new RangeError(`no value for a comment at ${path.join(".")}`);
    if (before !== undefined) node.commentBefore = before.map(commentText).join("\n");
    if (after !== undefined) node.comment = commentText(after);
  }
  if (head.length > 0 && document.contents !== null) document.contents.commentBefore = head.map(commentText).join("\n");
  return document.toString({ lineWidth: 0, flowCollectionPadding: false, indentSeq: false });
}

/** A comment cannot end before its line does. */
function commentText(text: string): string {
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/u.test(text)) throw new RangeError("a comment is one line of visible text");
  return ` ${text}`;
}
