import type { SourceProblem } from "../policy/yaml-source.ts";
import type { ObjectSource } from "./read-objects.ts";

/** An object of which somebody says that it refuses nothing: `--assume-open KIND/NAMESPACE/NAME`. */
export interface AssumedOpen {
  readonly kind: string;
  /** Null = whatever the namespace. */
  readonly namespace: string | null;
  readonly name: string;
}

/** Reads `KIND/NAME` or `KIND/NAMESPACE/NAME`; null when it is neither. */
export function parseAssumedOpen(text: string): AssumedOpen | null {
  const match = /^([A-Za-z]+)\/(?:([a-z0-9.-]+)\/)?([a-z0-9.-]+)$/.exec(text);
  const [, kind, namespace, name] = match ?? [];
  return kind === undefined || name === undefined ? null : { kind, namespace: namespace ?? null, name };
}

/** Does somebody say that this object refuses nothing? */
export function isAssumedOpen({ kind, namespace, name }: ObjectSource, assumed: readonly AssumedOpen[]): boolean {
  return assumed.some(
    (each) => each.kind === kind && each.name === name && (each.namespace === null || each.namespace === namespace),
  );
}

/** A problem for every assumption about an object that is not there: it was meant for another. */
export function idleAssumptions(
  assumed: readonly AssumedOpen[],
  all: readonly ObjectSource[],
): readonly SourceProblem[] {
  return assumed
    .filter((each) => !all.some((object) => isAssumedOpen(object, [each])))
    .map(({ kind, namespace, name }) => {
      const text = [kind, ...(namespace === null ? [] : [namespace]), name].join("/");
      const message = `\`--assume-open ${text}\` names no object here`;
      const at = { file: ".", line: 1, column: 1 };
      return { code: "unknown-value" as const, message, at, excerpt: null, fix: "--assume-open KIND/NAMESPACE/NAME" };
    });
}
