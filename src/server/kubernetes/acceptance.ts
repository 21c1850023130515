import type { Diagnostic } from "../../policy/diagnostic.ts";
import type { LoadOutcome } from "../load-outcome.ts";
import { type Condition, type PolicyObject, policyPath } from "./policy-object.ts";

/** Whether an object is in force, as its condition `Accepted` says. */
export type Acceptance = Pick<Condition, "status" | "reason" | "message">;

export const ACCEPTED = "Accepted";
/** Messages are cut here: an object can have more mistakes than anybody reads. */
const MAX_MESSAGE = 2_000;

/**
 * What a load came to for each object that it was made of, by uid. Objects of which it says nothing new have no entry: what was in force of them stays, and so does
 * what was said.
 */
export function acceptances(
  objects: readonly PolicyObject[],
  outcome: LoadOutcome,
  rootNamespace: string,
): ReadonlyMap<string, Acceptance> {
  const found = new Map<string, Acceptance>();
  if (outcome.kind !== "loaded" && outcome.kind !== "rejected") return found;
  const diagnostics =
    outcome.kind === "rejected"
      ? outcome.diagnostics
      : [...outcome.warnings, ...outcome.stale.flatMap((each) => each.diagnostics)];
  const byFile = Map.groupBy(diagnostics, ({ at }) => at.file);
  const stale = new Map(outcome.kind === "loaded" ? outcome.stale.map((each) => [each.namespace, each]) : []);
  for (const object of objects) {
    const { namespace, uid } = object.metadata;
    const own = byFile.get(policyPath(object, rootNamespace)) ?? [];
    const errors = own.filter(({ severity }) => severity === "error");
    const of = stale.get(namespace);
    if (errors.length > 0) found.set(uid, refused("Invalid", errors));
    else if (outcome.kind === "rejected") {
      if (!isInForce(object)) found.set(uid, waiting("GatewayInvalid", "the gateway's namespace", outcome.diagnostics));
    } else if (of === undefined) found.set(uid, accepted(own));
    else if (!(of.keptLastGood && isInForce(object))) {
      found.set(uid, waiting("NamespaceInvalid", "the namespace", of.diagnostics));
    }
  }
  return found;
}

/** Was the object accepted as it is now? */
function isInForce({ metadata, status }: PolicyObject): boolean {
  const condition = status?.conditions?.find(({ type }) => type === ACCEPTED);
  return condition?.status === "True" && condition.observedGeneration === metadata.generation;
}

function accepted(warnings: readonly Diagnostic[]): Acceptance {
  return { status: "True", reason: "Accepted", message: warnings.length === 0 ? "in force" : tell(warnings) };
}

function refused(reason: string, errors: readonly Diagnostic[]): Acceptance {
  return { status: "False", reason, message: tell(errors) };
}

function waiting(reason: string, whose: string, diagnostics: readonly Diagnostic[]): Acceptance {
  const first = diagnostics.find(({ severity }) => severity === "error");
  const where = first === undefined ? "" : `, first in ${first.at.file}: ${first.message}`;
  return { status: "False", reason, message: cut(`not in force: other objects of ${whose} are invalid${where}`) };
}

/** Positions in a file that nobody has say nothing: the line itself does. */
function tell(diagnostics: readonly Diagnostic[]): string {
  return cut(
    diagnostics
      .map(({ code, message, excerpt, fix }) => {
        const line = excerpt?.split("\n")[0]?.trim() ?? "";
        return `${message}${line === "" ? "" : ` at \`${line}\``}${fix === null ? "" : ` (${fix})`} [${code}]`;
      })
      .join("; "),
  );
}

function cut(text: string): string {
  return text.length <= MAX_MESSAGE ? text : `${text.slice(0, MAX_MESSAGE)}…`;
}
