/** The oracle, part 6: `when` of docs/semantics.md §4. The expressions are evaluated by another library than the product's. */
import { celEnv, isCelError, parse, plan } from "@bufbuild/cel";
import { decodePath, headerText, type Truth } from "./conditions.ts";
import type { Subject } from "./identity.ts";
import type { Request, Target } from "./target.ts";

/** What an expression reads, told from its tree. */
export interface Reads {
  readonly method: boolean;
  readonly path: boolean;
  readonly clock: boolean;
  readonly headers: readonly string[];
}

/** Everything that an expression can be asked about. */
export interface Situation {
  readonly subject: Subject;
  readonly target: Target;
  readonly service: string | null;
  readonly request: Request;
  readonly nowMs: number;
}

const env = celEnv();
const known = new Map<string, { readonly reads: Reads; readonly run: ReturnType<typeof plan> }>();

/** The same text is read once. */
function prepare(text: string): { readonly reads: Reads; readonly run: ReturnType<typeof plan> } {
  const made = known.get(text) ?? { reads: treeReads(text), run: plan(env, parse(text)) };
  if (known.size > 10_000) known.clear();
  known.set(text, made);
  return made;
}
const LONGEST = 1024;

/** What the expression comes to. */
export function whenTruth(text: string, { subject, target, service, request, nowMs }: Situation): Truth {
  const { reads, run } = prepare(text);
  const seen = request.kind === "http";
  if (!seen && (reads.method || reads.path || reads.headers.length > 0)) return "in doubt";
  const headers = new Map<string, string>();
  for (const name of reads.headers) {
    const value = headerText(name, request);
    if (value === null || bytes(value ?? "") > LONGEST) return "in doubt";
    if (value !== undefined) headers.set(name, value);
  }
  const raw = request.path.split("?")[0] ?? "";
  const path = raw === "*" ? "*" : decodePath(raw);
  if (seen && reads.path && (path === null || bytes(path) > LONGEST)) return "in doubt";
  if (seen && reads.method && bytes(request.method) > LONGEST) return "in doubt";
  const workload = {
    id: subject.spiffeId,
    trustDomain: subject.trustDomain,
    namespace: subject.namespace ?? "",
    serviceAccount: accountOf(subject),
  };
  const asked = {
    host: target.host,
    port: BigInt(target.port),
    service: service ?? "",
    method: request.method,
    path: path ?? "",
  };
  const now = { $typeName: "google.protobuf.Timestamp" as const, ...secondsAndNanos(nowMs) };
  const answer = run({
    ...{ subject: new Map(Object.entries(workload)), target: new Map(Object.entries(asked)), headers, now },
  });
  if (isCelError(answer) || typeof answer !== "boolean") return "in doubt";
  return answer ? "true" : "false";
}

function accountOf({ spiffeId, namespace }: Subject): string {
  return namespace === null ? "" : (spiffeId.split("/")[6] ?? "");
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

function secondsAndNanos(ms: number): { seconds: bigint; nanos: number } {
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: (ms - seconds * 1000) * 1_000_000 };
}

/** What an expression reads. */
export function readsOf(text: string): Reads {
  return prepare(text).reads;
}

/** Walks the tree: `target.x`, `headers.x`, `headers["x"]`, `"x" in headers` and `now`. */
function treeReads(text: string): Reads {
  const fields = new Set<string>();
  const headers = new Set<string>();
  let clock = false;
  const nameOf = (node: Node | undefined) =>
    node?.exprKind?.case === "identExpr" ? (node.exprKind.value?.name ?? null) : null;
  const textOf = (node: Node | undefined) => node?.exprKind?.value?.constantKind?.value;
  const visit = (node: Node | undefined): void => {
    const { case: kind, value } = node?.exprKind ?? {};
    if (value === undefined) return;
    if (nameOf(node) === "now") clock = true;
    if (kind === "selectExpr") {
      if (nameOf(value.operand) === "target") fields.add(value.field ?? "");
      if (nameOf(value.operand) === "headers") headers.add(value.field ?? "");
      visit(value.operand);
    }
    const [one, other] = value.args ?? [];
    if (value.function === "_[_]" && nameOf(one) === "headers") headers.add(String(textOf(other)));
    if (value.function === "@in" && nameOf(other) === "headers") headers.add(String(textOf(one)));
    for (const each of [value.target, ...(value.args ?? []), ...(value.elements ?? [])]) visit(each);
  };
  visit(parse(text).expr as unknown as Node);
  return { method: fields.has("method"), path: fields.has("path"), clock, headers: [...headers].sort() };
}

/** A node of the tree, as far as it is looked at. @see cel/expr/syntax.proto */
interface Node {
  readonly exprKind?: { readonly case?: string; readonly value?: NodeValue };
}
interface NodeValue {
  readonly name?: string;
  readonly field?: string;
  readonly function?: string;
  readonly operand?: Node;
  readonly target?: Node;
  readonly args?: readonly Node[];
  readonly elements?: readonly Node[];
  readonly constantKind?: { readonly value?: unknown };
}
