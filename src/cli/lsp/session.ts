import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type CancellationToken,
  type Connection,
  ErrorCodes,
  type InitializeParams,
  LSPErrorCodes,
  MessageType,
  ResponseError,
  ShowMessageNotification,
  TextDocumentSyncKind,
  TextDocuments,
} from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import { completionsAt } from "../../editor/complete.ts";
import { definitionAt } from "../../editor/define.ts";
import { hoverAt } from "../../editor/hover.ts";
import { type Place, placeAt, placeToComplete } from "../../editor/place.ts";
import { formatPolicyFile } from "../../policy/format/format.ts";
import { createDirectoryWatch } from "../../server/watch-directories.ts";
import { createChecker } from "./checker.ts";
import { fileOf, policyPath } from "./policy-place.ts";
import { completionItem, wordAt } from "./to-protocol.ts";
import { createWorkspace } from "./workspace.ts";

/** The most suggestions of one answer; the editor asks again as more is typed. */
const MOST_SUGGESTIONS = 500;

interface Position {
  readonly textDocument: { readonly uri: string };
  readonly position: { readonly line: number; readonly character: number };
}

type Session = ReturnType<typeof openSession>;

/** Serves one editor until it hangs up. @param policies the directory, relative to the editor's first folder */
export function serveEditor(connection: Connection, policies: string): void {
  const documents = new TextDocuments(TextDocument);
  let session: Session | null = null;

  connection.onInitialize((params) => {
    session = openSession(connection, documents, resolve(rootOf(params), policies));
    return {
      capabilities: {
        textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental, save: true },
        completionProvider: { triggerCharacters: [" ", "{", "[", ",", "/"] },
        hoverProvider: true,
        definitionProvider: true,
        documentFormattingProvider: true,
      },
      serverInfo: { name: "sallyport" },
    };
  });
  connection.onDidChangeWatchedFiles(() => session?.rescan());
  documents.onDidSave(() => session?.rescan());
  documents.onDidChangeContent(({ document }) => session?.typed(document.uri, document.getText()));
  documents.onDidClose(({ document }) => session?.typed(document.uri, null));
  connection.onCompletion((at, token) => answer(token, (open) => open.complete(at)));
  connection.onHover((at, token) => answer(token, (open) => open.hover(at)));
  connection.onDefinition((at, token) => answer(token, (open) => open.define(at)));
  connection.onDocumentFormatting(({ textDocument }, token) => answer(token, (open) => open.format(textDocument.uri)));
  connection.onShutdown(() => session?.close());
  documents.listen(connection);
  connection.listen();

  /** Whatever an editor asks, and whatever goes wrong, the server goes on. */
  async function answer<T>(token: CancellationToken, ask: (open: Session) => T): Promise<T | ResponseError | null> {
    if (session === null) return new ResponseError(ErrorCodes.ServerNotInitialized, "initialize comes first");
    await session.scanned();
    if (token.isCancellationRequested) return new ResponseError(LSPErrorCodes.RequestCancelled, "cancelled");
    try {
      return ask(session);
    } catch (error) {
      connection.console.error(String(error instanceof Error ? error.stack : error));
      return null;
    }
  }
}

function rootOf({ workspaceFolders, rootUri }: InitializeParams): string {
  const [folder] = workspaceFolders ?? [];
  return fileOf(folder?.uri ?? rootUri ?? "") ?? process.cwd();
}

function openSession(connection: Connection, documents: TextDocuments<TextDocument>, directory: string) {
  const workspace = createWorkspace(directory);
  const uriOf = (path: string): string =>
    documents.keys().find((uri) => policyPath(directory, uri) === path) ?? pathToFileURL(join(directory, path)).href;
  const checker = createChecker(connection, workspace, uriOf);
  const watch = createDirectoryWatch(() => rescan());
  let isMissing = false;

  async function scan(): Promise<void> {
    try {
      watch.follow(await workspace.scan());
      isMissing = false;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (!isMissing) warn(`no policy directory: ${why}; name one with --policies DIR`);
      isMissing = true;
    }
    checker.soon();
  }

  function warn(message: string): void {
    connection
      .sendNotification(ShowMessageNotification.type, { type: MessageType.Warning, message })
      .catch((error) => connection.console.error(`${message} (not shown: ${error})`));
  }

  // One after the other: an earlier look must not overtake a later one. One that has not begun sees every change until then.
  let scanned = scan();
  let isWaiting = false;

  function rescan(): void {
    if (isWaiting) return;
    isWaiting = true;
    scanned = scanned.then(() => {
      isWaiting = false;
      return scan();
    });
  }

  /** A document of the directory, with what is at a position of it. */
  function look(
    { textDocument, position }: Position,
    find: (file: string, text: string, offset: number) => Place | null,
  ): { readonly document: TextDocument; readonly place: Place } | null {
    const document = documents.get(textDocument.uri);
    const path = policyPath(directory, textDocument.uri);
    if (document === undefined || path === null) return null;
    const place = find(path, document.getText(), document.offsetAt(position));
    return place === null ? null : { document, place };
  }

  return {
    rescan,
    /** The directory has been read as it was when this was called. */
    scanned: (): Promise<void> => scanned,
    typed(uri: string, text: string | null): void {
      const path = policyPath(directory, uri);
      if (path === null) return;
      workspace.type(path, text);
      checker.soon();
    },
    complete(at: Position) {
      const found = look(at, placeToComplete);
      if (found === null) return null;
      const { document, place } = found;
      const all = completionsAt(place, checker.latest().names);
      const typed = place.text.toLowerCase();
      const fitting = all.filter(({ label }) => label.toLowerCase().includes(typed));
      const items = (fitting.length > 0 ? fitting : all).slice(0, MOST_SUGGESTIONS);
      return {
        isIncomplete: fitting.length > items.length,
        items: items.map((each) => completionItem(each, document, place)),
      };
    },
    hover(at: Position) {
      const found = look(at, placeAt);
      if (found === null) return null;
      const { names } = checker.now();
      const value = hoverAt(found.place, names, workspace.decider(Date.now()));
      if (value === null) return null;
      const { start, end } = found.place;
      const range = { start: found.document.positionAt(start), end: found.document.positionAt(end) };
      return { contents: { kind: "markdown" as const, value }, range };
    },
    define(at: Position) {
      const found = look(at, placeAt);
      const target = found === null ? null : definitionAt(found.place, checker.now().names);
      return target === null ? null : { uri: uriOf(target.file), range: wordAt(target, workspace.text(target.file)) };
    },
    format(uri: string) {
      const document = documents.get(uri);
      if (document === undefined) return null;
      const text = document.getText();
      const formatted = formatPolicyFile(uri, new TextEncoder().encode(text));
      if (formatted.kind !== "formatted" || !formatted.changed) return [];
      const range = { start: { line: 0, character: 0 }, end: document.positionAt(text.length) };
      return [{ range, newText: formatted.text }];
    },
    close(): void {
      watch.close();
      checker.stop();
    },
  };
}
