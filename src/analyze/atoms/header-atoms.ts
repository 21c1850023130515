import { unlike } from "./unlike.ts";

/**
 * What conditions on one header can tell apart: that it is absent, that it has one of the values they name, another one, or
 * that it is in doubt. `value` is one that a request can send to be just that; null for none.
 */
export interface HeaderAtom {
  readonly kind: "absent" | "named" | "other" | "doubt";
  readonly value: string | null;
}

/** The header by which gRPC is told, and how its values begin. */
export const CONTENT_TYPE = "content-type";
export const GRPC = "application/grpc";

/** The atoms of conditions that name these values; with `grpc`, also of whether the content type is that of gRPC. */
export function headerAtoms(values: Iterable<string>, grpc: boolean): readonly HeaderAtom[] {
  const named = new Set(values);
  const like = (value: string): HeaderAtom => ({ kind: "other", value });
  return [
    { kind: "absent", value: null },
    ...[...named].map((value): HeaderAtom => ({ kind: "named", value })),
    like(unlike(named, "other")),
    ...(grpc ? [like(unlike(named, GRPC, `${GRPC}+proto`))] : []),
    // A comma leaves it in doubt which value is meant.
    { kind: "doubt", value: "a,b" },
    ...(grpc ? [{ kind: "doubt", value: `${GRPC},b` } as const] : []),
  ];
}

/** Headers by which a request upgrades. */
export const UPGRADE_HEADERS = ["connection", "upgrade"] as const;

export function isUpgradeHeader(name: string): boolean {
  return UPGRADE_HEADERS.some((each) => each === name);
}
