import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { onTestFinished } from "vitest";
import {
  type CompletionItem,
  type CompletionList,
  CompletionRequest,
  createProtocolConnection,
  DefinitionRequest,
  type Diagnostic,
  DidChangeTextDocumentNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  DidSaveTextDocumentNotification,
  DocumentFormattingRequest,
  ExitNotification,
  type Hover,
  HoverRequest,
  InitializedNotification,
  InitializeRequest,
  type InitializeResult,
  type Location,
  type ProtocolConnection,
  PublishDiagnosticsNotification,
  ShutdownRequest,
  StreamMessageReader,
  StreamMessageWriter,
  type TextEdit,
} from "vscode-languageserver-protocol/node";
import { REPOSITORY } from "../cli/run-cli.ts";

/** An editor with one folder open, and the server it has started. */
export interface Editor {
  readonly child: ChildProcessWithoutNullStreams;
  readonly connection: ProtocolConnection;
  readonly initialized: InitializeResult;
  uri(path: string): string;
  /** Opens a document with a text; a `|` in it is the cursor and goes. */
  open(path: string, text: string): Promise<void>;
  /** Types another text in place of all of it. */
  type(path: string, text: string): Promise<void>;
  save(path: string): Promise<void>;
  close(path: string): Promise<void>;
  /** Waits until a document's diagnostics are so, and returns them. */
  diagnostics(path: string, are: (found: readonly Diagnostic[]) => boolean): Promise<readonly Diagnostic[]>;
  /** At the cursor of the text that was opened or typed last. */
  complete(path: string): Promise<readonly CompletionItem[]>;
  hover(path: string): Promise<string | null>;
  define(path: string): Promise<Location | null>;
  format(path: string): Promise<readonly TextEdit[] | null>;
  /** Says goodbye; the server's exit code. */
  quit(): Promise<number | null>;
  readonly ended: Promise<number | null>;
  /** What the server said on standard error. */
  errors(): string;
}

/** Starts `sallyport lsp` as an editor would. `folder` is what the editor has open. */
export async function startEditor(folder: string, ...args: string[]): Promise<Editor> {
  const child = spawn(process.execPath, [join(REPOSITORY, "src/cli/main.ts"), "lsp", "--stdio", ...args]);
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  const connection = createProtocolConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  const uri = (path: string): string => pathToFileURL(join(folder, path)).href;
  const published = new Map<string, readonly Diagnostic[]>();
  let look = (): void => undefined;
  connection.onNotification(PublishDiagnosticsNotification.type, ({ uri: of, diagnostics }) => {
    published.set(of, diagnostics);
    look();
  });
  connection.listen();
  const initialized = await connection.sendRequest(InitializeRequest.type, {
    processId: process.pid,
    rootUri: null,
    workspaceFolders: [{ uri: pathToFileURL(folder).href, name: "folder" }],
    capabilities: {},
  });
  await connection.sendNotification(InitializedNotification.type, {});
  const cursors = new Map<string, { line: number; character: number }>();
  let version = 1;

  function withoutCursor(path: string, text: string): string {
    const at = text.indexOf("|");
    if (at < 0) return text;
    const before = text.slice(0, at).split("\n");
    cursors.set(path, { line: before.length - 1, character: before.at(-1)?.length ?? 0 });
    return text.slice(0, at) + text.slice(at + 1);
  }

  function at(path: string) {
    const position = cursors.get(path);
    if (position === undefined) throw new Error(`no cursor in ${path}`);
    return { textDocument: { uri: uri(path) }, position };
  }

  return {
    ...{ child, connection, initialized, uri, ended },
    errors: () => errors,
    open(path, text) {
      const textDocument = { uri: uri(path), languageId: "yaml", version, text: withoutCursor(path, text) };
      return connection.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
    },
    type(path, text) {
      version += 1;
      const contentChanges = [{ text: withoutCursor(path, text) }];
      const textDocument = { uri: uri(path), version };
      return connection.sendNotification(DidChangeTextDocumentNotification.type, { textDocument, contentChanges });
    },
    save: (path) =>
      connection.sendNotification(DidSaveTextDocumentNotification.type, { textDocument: { uri: uri(path) } }),
    close: (path) =>
      connection.sendNotification(DidCloseTextDocumentNotification.type, { textDocument: { uri: uri(path) } }),
    diagnostics: (path, are) =>
      new Promise((resolve) => {
        look = () => {
          const found = published.get(uri(path));
          if (found !== undefined && are(found)) resolve(found);
        };
        look();
      }),
    async complete(path) {
      const answer = (await connection.sendRequest(CompletionRequest.type, at(path))) as CompletionList | null;
      return answer?.items ?? [];
    },
    async hover(path) {
      const answer: Hover | null = await connection.sendRequest(HoverRequest.type, at(path));
      return answer === null ? null : (answer.contents as { value: string }).value;
    },
    define: (path) => connection.sendRequest(DefinitionRequest.type, at(path)) as Promise<Location | null>,
    format: (path) =>
      connection.sendRequest(DocumentFormattingRequest.type, {
        textDocument: { uri: uri(path) },
        options: { tabSize: 2, insertSpaces: true },
      }),
    async quit() {
      await connection.sendRequest(ShutdownRequest.type);
      await connection.sendNotification(ExitNotification.type);
      return ended;
    },
    ended,
  };
}
