import { lint } from "../../../src/analyze/lint/lint.ts";
import { LINT_CODES } from "../../../src/analyze/lint/lint-codes.ts";
import { askedRequest } from "../../../src/analyze/request.ts";
import { compileBundle } from "../../../src/bundle/compile.ts";
import { filesOf } from "../../../src/import/documents.ts";
import type { Imported, ImportOptions } from "../../../src/import/imported.ts";
import { renderImported } from "../../../src/import/render.ts";
import { createCanonicaliser } from "../../../src/pdp/canonicaliser.ts";
import { createEngine } from "../../../src/pdp/engine.ts";
import { readEngineModule } from "../../../src/pdp/engine-module.ts";
import { loadPolicySet } from "../../../src/policy/load.ts";
import type { PolicyFile } from "../../../src/policy/parse-cache.ts";

const engineModule = readEngineModule();
const canon = createCanonicaliser(engineModule);
const NOW_MS = Date.parse("2026-11-23T12:00:00Z");

/** What the command line would hand over by default. */
export const OPTIONS: ImportOptions = {
  owner: "security@example.com",
  gateway: { namespace: "istio-egress", name: "egress" },
  trustDomain: "cluster.local",
  ports: [
    { number: 80, protocol: "HTTP" },
    { number: 443, protocol: "TLS" },
  ],
  canon,
  assumed: [],
};

/** A file of a source. */
export function sourceFile(path: string, text: string): PolicyFile {
  return { path, bytes: new TextEncoder().encode(text) };
}

/** A request in words: who, `METHOD http://host/path` or `TLS host:port`, headers. */
export interface Asked {
  readonly from: string;
  readonly to: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Decides requests by an imported set, on its way through files, validation and the engine. */
export interface Decider {
  allows(request: Asked): boolean;
  readonly text: string;
}

/** Loads what was imported as the product would. Throws when the source was refused, or its set is not valid or worth an error of the lint. */
export function deciderOf(imported: Imported): Decider {
  if (!imported.ok)
    throw new Error(`refused:\n${imported.problems.map(({ message, at }) => `${at.line}: ${message}`).join("\n")}`);
  const files = filesOf(imported.set).map((file) => ({ path: file.path, text: renderImported(file) }));
  const text = files.map((file) => `# ${file.path}\n${file.text}`).join("\n");
  const sources = files.map((file) => sourceFile(file.path, file.text));
  const { set, diagnostics } = loadPolicySet(sources, canon);
  if (set === null) {
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    throw new Error(
      `not valid:\n${errors.map(({ at, code, message }) => `${at.file}:${at.line} ${code}: ${message}`).join("\n")}\n${text}`,
    );
  }
  const { findings } = lint(set, sources, { nowMs: NOW_MS, withinMs: 0, owners: null, observed: null });
  const grave = findings.filter(({ code }) => LINT_CODES[code].severity === "error");
  if (grave.length > 0) throw new Error(`the lint finds errors:\n${JSON.stringify(grave)}\n${text}`);
  const engine = createEngine(engineModule, compileBundle(set));
  return {
    text,
    allows({ from, to, headers = {} }) {
      const asked = askedRequest({ from, to, headers, upgrade: null }, "cluster.local");
      if (!asked.ok) throw new Error(asked.message);
      return engine.decide(asked.value.input, NOW_MS).effect === "allow";
    },
  };
}
