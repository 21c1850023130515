import { assemble, scopeIn } from "./assemble.ts";
import type { Canonicaliser } from "./canonicaliser.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { noGateway } from "./load.ts";
import type { PolicySet } from "./model.ts";
import { createParseCache, type ParseCache, type PolicyFile } from "./parse-cache.ts";
import { isTestFile, placeOf } from "./place.ts";
import type { RawDocument } from "./raw-document.ts";
import { sortDiagnostics } from "./reporter.ts";

/** The files that a namespace's documents last took effect from. Plain data: it crosses threads. */
export interface LastGood {
  readonly root: string;
  readonly namespaces: Readonly<Record<string, readonly PolicyFile[]>>;
}

/** A namespace whose newest documents are refused. */
export interface StaleNamespace {
  readonly namespace: string;
  /** Its earlier documents are in force; false = there are none that still fit: its workloads are denied. */
  readonly keptLastGood: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

interface ParsedPolicyFile {
  readonly file: PolicyFile;
  readonly documents: readonly RawDocument[];
}

/** `set` is null when the root documents cannot be used: keep the last bundle. */
export interface IsolatedResult {
  readonly set: PolicySet | null;
  readonly lastGood: LastGood | null;
  readonly stale: readonly StaleNamespace[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads a running server's directory namespace by namespace: an invalid one keeps its last good documents while they
 * still fit beside everyone else's, else its workloads are denied. Root documents and all others take effect.
 * @see docs/semantics.md §1
 */
export function loadIsolated(
  files: readonly PolicyFile[],
  canon: Canonicaliser,
  lastGood: LastGood | null,
  cache: ParseCache = createParseCache(),
): IsolatedResult {
  const live = files.filter((file) => !isTestFile(file.path));
  const parsed = live.map((file) => ({ file, ...cache.read(file) }));
  const shape = parsed.flatMap((each) => each.diagnostics).filter(isError);
  const documents = parsed.flatMap((each) => each.documents);
  const first = assemble(documents, canon, []);
  const missing = first.root === null && !shape.some(({ scope }) => scope === "") && first.diagnostics.length === 0;
  const diagnostics = sortDiagnostics([
    ...parsed.flatMap((each) => each.diagnostics),
    ...first.diagnostics,
    ...(missing ? [noGateway(live)] : []),
  ]);
  const { root } = first;
  const failed = (scope: string): boolean => scope === "" || scope === root;
  const finish = (result: Omit<IsolatedResult, "diagnostics">): IsolatedResult => {
    cache.sweep();
    return { ...result, diagnostics };
  };
  if (root === null || [...shape, ...first.diagnostics.filter(isError)].some(({ scope }) => failed(scope))) {
    return finish({ set: null, lastGood, stale: [] });
  }

  const bad = new Set(shape.map(({ scope }) => scope));
  const replaced = new Set<string>();
  const dropped = new Set<string>();
  const stages = new Map<string, readonly (readonly PolicyFile[])[]>();
  const inForce = new Map<string, readonly PolicyFile[]>();
  const later: Diagnostic[] = [];
  for (;;) {
    for (const scope of bad) {
      if (dropped.has(scope)) continue;
      const stage = stages.get(scope) ?? fallbacksOf(scope, root, parsed, lastGood);
      const [files, ...rest] = stage;
      stages.set(scope, rest);
      if (files === undefined) dropped.add(scope);
      else inForce.set(scope, files);
      replaced.add(scope);
    }
    const current = [
      ...documents.filter((each) => !replaced.has(scopeIn(root, each))),
      ...[...inForce].flatMap(([scope, kept]) => (dropped.has(scope) ? [] : documentsOf(kept, scope, root, cache))),
    ];
    const { set, diagnostics: found } = replaced.size === 0 ? first : assemble(current, canon, [...dropped], replaced);
    const errors = found.filter(isError);
    if (set === null || errors.some(({ scope }) => failed(scope))) return finish({ set: null, lastGood, stale: [] });
    if (errors.length === 0) {
      const stale = [...replaced].sort().map((namespace) => ({
        namespace,
        keptLastGood: !dropped.has(namespace),
        diagnostics: sortDiagnostics([...diagnostics, ...later].filter(({ scope }) => scope === namespace)),
      }));
      return finish({ set, lastGood: remember(root, parsed, replaced, inForce, lastGood), stale });
    }
    later.push(...errors);
    // A host claimed twice may be the fault of a namespace that falls for another mistake: that one goes first.
    const own = errors.filter(({ code }) => code !== "host-claimed-twice");
    bad.clear();
    for (const { scope } of own.length > 0 ? own : errors) bad.add(scope);
  }
}

function isError({ severity }: Diagnostic): boolean {
  return severity === "error";
}

/** A namespace may be called `constructor`: only what the record itself holds counts. */
function keptOf(lastGood: LastGood | null, scope: string): readonly PolicyFile[] | undefined {
  return lastGood !== null && Object.hasOwn(lastGood.namespaces, scope) ? lastGood.namespaces[scope] : undefined;
}

/**
 * What a refused namespace may fall back to, best first. The security team's own files at the top count as they are now
 * as long as they can, so that a tenant's broken directory does not bring back what the security team took away.
 */
function fallbacksOf(
  scope: string,
  root: string,
  parsed: readonly ParsedPolicyFile[],
  lastGood: LastGood | null,
): readonly (readonly PolicyFile[])[] {
  const kept = keptOf(lastGood, scope);
  if (kept === undefined) return [];
  const top = parsed.filter(({ file, documents }) => {
    return placeOf(file.path) === "" && documents.some((each) => scopeIn(root, each) === scope);
  });
  return [[...top.map(({ file }) => file), ...kept.filter(({ path }) => placeOf(path) !== "")], kept];
}

function documentsOf(
  files: readonly PolicyFile[],
  scope: string,
  root: string,
  cache: ParseCache,
): readonly RawDocument[] {
  return files.flatMap((file) => cache.read(file).documents).filter((each) => scopeIn(root, each) === scope);
}

/** The files that hold each namespace's documents now; a replaced namespace keeps those it had. */
function remember(
  root: string,
  parsed: readonly ParsedPolicyFile[],
  replaced: ReadonlySet<string>,
  inForce: ReadonlyMap<string, readonly PolicyFile[]>,
  lastGood: LastGood | null,
): LastGood {
  const namespaces: Record<string, PolicyFile[]> = Object.create(null);
  for (const scope of replaced) {
    const kept = inForce.get(scope) ?? keptOf(lastGood, scope);
    if (kept !== undefined) namespaces[scope] = [...kept];
  }
  for (const { file, documents } of parsed) {
    for (const scope of new Set(documents.map((each) => scopeIn(root, each)))) {
      if (scope === "" || replaced.has(scope)) continue;
      const files = namespaces[scope] ?? [];
      files.push(file);
      namespaces[scope] = files;
    }
  }
  return { root, namespaces };
}
