import type { Connection } from "vscode-languageserver/node";
import type { Diagnostic } from "../../policy/diagnostic.ts";
import { protocolDiagnostic } from "./to-protocol.ts";
import type { Checked, Workspace } from "./workspace.ts";

/** Looks at all files a moment after the last change, and tells the editor what is wrong. */
export interface Checker {
  soon(): void;
  /** What the newest look came to, whatever was typed since. */
  latest(): Checked;
  /** Looks at once when something was typed since. */
  now(): Checked;
  stop(): void;
}

/** Bounds of the wait after a change. Between them it is twice what the last look took. */
const LEAST_MS = 100;
const MOST_MS = 2_000;

/** @param uriOf the editor's name of a policy file */
export function createChecker(connection: Connection, workspace: Workspace, uriOf: (path: string) => string): Checker {
  let timer: NodeJS.Timeout | null = null;
  let took = 0;
  let latest: Checked | null = null;
  let told = new Set<string>();

  function check(): Checked {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const begun = performance.now();
    latest = workspace.check();
    publish(latest);
    took = performance.now() - begun;
    return latest;
  }

  function publish({ diagnostics }: Checked): void {
    const byFile = Map.groupBy(diagnostics, ({ at }) => at.file);
    const uris = new Set<string>();
    for (const [file, own] of byFile) {
      const uri = uriOf(file);
      uris.add(uri);
      send(uri, own, workspace.text(file));
    }
    for (const uri of told) if (!uris.has(uri)) send(uri, [], null);
    told = uris;
  }

  function send(uri: string, diagnostics: readonly Diagnostic[], text: string | null): void {
    const all = diagnostics.map((each) => protocolDiagnostic(each, text));
    connection
      .sendDiagnostics({ uri, diagnostics: all })
      .catch((error) => connection.console.error(`diagnostics were not sent: ${error}`));
  }

  return {
    soon() {
      if (timer !== null) clearTimeout(timer);
      timer = setTimeout(check, Math.min(MOST_MS, Math.max(LEAST_MS, 2 * took)));
    },
    latest: () => latest ?? check(),
    now: () => (timer === null && latest !== null ? latest : check()),
    stop() {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}
