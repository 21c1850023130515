import { CST, Lexer } from "yaml";

/** A comment of a YAML text, or a mark between its documents. */
export interface YamlMark {
  readonly kind: "comment" | "doc-start" | "doc-end";
  /** From its `#`, `---` or `...` on, as it is written. */
  readonly text: string;
  readonly offset: number;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
}

/** The comments and document marks of a YAML text in their order: what only looks like one inside a text is none. */
export function* yamlMarks(text: string): Generator<YamlMark> {
  let offset = 0;
  let line = 1;
  let column = 1;
  let scalar = false;
  for (const token of new Lexer().lex(text)) {
    // Marks that the lexer puts in: a document's begin, a plain or block text to follow, a flow collection's end.
    if (token === "\u0002" || token === "\u0018" || token === "\u001f") {
      scalar = token === "\u001f";
      continue;
    }
    const kind = scalar ? null : CST.tokenType(token);
    if (kind === "comment" || kind === "doc-start" || kind === "doc-end") {
      yield { kind, text: token, offset, line, column };
    }
    scalar = false;
    offset += token.length;
    const breaks = token.split("\n");
    line += breaks.length - 1;
    column = breaks.length === 1 ? column + token.length : (breaks.at(-1)?.length ?? 0) + 1;
  }
}
