import type { AuditTrail } from "../audit/trail.ts";
import type { DecisionEngine } from "../pdp/pdp.ts";
import type { Diagnostic } from "../policy/diagnostic.ts";
import { formatDiagnostic } from "../policy/format-diagnostic.ts";
import type { StaleNamespace } from "../policy/isolate.ts";
import { unpackExceptions } from "./exception-list.ts";
import type { ExceptionWatch } from "./exception-watch.ts";
import type { LoadOutcome } from "./load-outcome.ts";
import type { Logger } from "./logger.ts";
import type { ReloadResult } from "./metrics.ts";
import type { FilesSummary } from "./policy-summary.ts";

/** The policies in force. */
export interface LoadedPolicies {
  readonly revision: string;
  readonly bundle: Uint8Array;
  /** When this revision was installed, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** Grows with each revision that this server installs, also when the clock is set back. */
  readonly generation: number;
}

/** What is in force and what is wrong with what is not. */
export interface PolicyState {
  readonly loaded: LoadedPolicies | null;
  readonly stale: readonly StaleNamespace[];
  /** Why the directory's present contents are not in force, or null. */
  readonly problem: string | null;
  /** How many errors of which code keep documents out of force; beside the codes of diagnostics `empty`, `failed` and `timeout`. */
  readonly errors: ReadonlyMap<string, number>;
  /** Takes an outcome of a load: installs it, or keeps what there is and says why. One at a time. Rejects when a bundle is unusable. */
  apply(outcome: LoadOutcome): Promise<void>;
}

export interface PolicyStateOptions {
  createEngine(bundle: Uint8Array, revision: string): Promise<DecisionEngine>;
  install(engine: DecisionEngine): void;
  now(): number;
  counted(result: ReloadResult): void;
  readonly trail: Pick<AuditTrail, "event">;
  readonly exceptions: Pick<ExceptionWatch, "renew">;
  readonly log: Logger;
}

/** A state without policies. */
export function createPolicyState(options: PolicyStateOptions): PolicyState {
  const { trail, log, counted, now } = options;
  let loaded: LoadedPolicies | null = null;
  let stale: readonly StaleNamespace[] = [];
  let problem: string | null = null;
  let errors: ReadonlyMap<string, number> = new Map();
  /** What an earlier run kept, until the same files are compiled. */
  let kept: { readonly digest: string; readonly revision: string } | null = null;

  async function installed(outcome: Extract<LoadOutcome, { kind: "loaded" }>): Promise<void> {
    const { revision } = outcome;
    const previous = loaded?.revision ?? null;
    const engine = revision === previous ? null : await options.createEngine(outcome.bundle, revision);
    if (kept !== null && kept.digest === outcome.summary.digest && kept.revision !== revision) {
      log.error({ kept: kept.revision, revision }, "what an earlier run kept was not what the policy files come to");
    }
    kept = outcome.isKept === true ? { digest: outcome.summary.digest, revision } : null;
    if (engine !== null) {
      options.install(engine);
      const sinceMs = now();
      const generation = Math.max(sinceMs, (loaded?.generation ?? 0) + 1);
      loaded = { revision, bundle: outcome.bundle, sinceMs, generation };
    }
    stale = outcome.stale;
    problem = null;
    errors = countCodes(stale.flatMap((each) => each.diagnostics));
    counted(engine === null ? "unchanged" : "installed");
    const namespaces = stale.map(({ namespace, keptLastGood }) => ({ namespace, keptLastGood }));
    trail.event({
      event: "policies-loaded",
      detail: {
        revision,
        previous,
        stale: stale.map(staleDetail),
        warnings: outcome.warnings.length,
        ...(outcome.isKept === true ? { kept: true } : {}),
        ...outcome.summary,
      },
    });
    options.exceptions.renew(revision, unpackExceptions(outcome.exceptions));
    log.info({ revision, previous, warnings: outcome.warnings.length }, "policies loaded");
    if (stale.length === 0) return;
    const text = diagnosticsText(stale.flatMap((each) => each.diagnostics));
    log.error({ stale: namespaces, diagnostics: text }, "namespaces with invalid policies");
  }

  /** What there is stays in force. The same problem is told once. */
  function stays(
    result: ReloadResult,
    why: string,
    files: FilesSummary | null,
    diagnostics: readonly Diagnostic[],
  ): void {
    counted(result);
    errors =
      diagnostics.length === 0
        ? new Map([[files === null && result === "rejected" ? "empty" : result, 1]])
        : countCodes(diagnostics);
    const text = diagnosticsText(diagnostics);
    if (problem === `${why}\n${text}`) return;
    problem = `${why}\n${text}`;
    const revision = loaded?.revision ?? null;
    const detail = {
      revision,
      result,
      problem: why,
      diagnostics: diagnostics.map(diagnosticDetail),
      ...(files ?? NO_FILES),
    };
    trail.event({ event: "policies-rejected", detail });
    const inForce = revision ?? "none: everything is refused";
    log.error({ inForce, result, diagnostics: text }, why);
  }

  return {
    get loaded() {
      return loaded;
    },
    get stale() {
      return stale;
    },
    get problem() {
      return problem;
    },
    get errors() {
      return errors;
    },
    async apply(outcome) {
      switch (outcome.kind) {
        case "unchanged":
          counted("unchanged");
          return;
        case "loaded":
          await installed(outcome);
          return;
        case "rejected":
          stays("rejected", "the policies are invalid", outcome.summary, outcome.diagnostics);
          return;
        case "empty":
          stays("rejected", "the policy directory holds no policies", null, []);
          return;
        case "failed":
          stays("failed", `the policies cannot be loaded: ${outcome.message}`, null, []);
          return;
        default:
          stays("timeout", "loading the policies took too long", null, []);
      }
    },
  };
}

const NO_FILES: FilesSummary = { digest: "", files: [] };

function countCodes(diagnostics: readonly Diagnostic[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { code, severity } of diagnostics) if (severity === "error") counts.set(code, (counts.get(code) ?? 0) + 1);
  return counts;
}

function staleDetail({ namespace, keptLastGood, diagnostics }: StaleNamespace): Record<string, unknown> {
  return { namespace, keptLastGood, diagnostics: diagnostics.map(diagnosticDetail) };
}

function diagnosticDetail({ code, message, at }: Diagnostic): Record<string, unknown> {
  return { code, message, file: at.file, line: at.line, column: at.column };
}

function diagnosticsText(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map((each) => formatDiagnostic(each, false)).join("\n");
}
