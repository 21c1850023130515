import type { Canonicaliser } from "../policy/canonicaliser.ts";
import type { PortProtocol } from "../policy/model.ts";
import type { SourceProblem } from "../policy/yaml-source.ts";
import type { AssumedOpen } from "./assumed.ts";
import type { DraftSet } from "./draft.ts";
import type { ImportNote } from "./note.ts";

/** What the sources do not say. */
export interface ImportOptions {
  /** Who answers for a policy where the source does not say. */
  readonly owner: string | null;
  readonly gateway: { readonly namespace: string; readonly name: string };
  /** The mesh's own. */
  readonly trustDomain: string;
  /** What applications dial, where the source opens every port; never empty. */
  readonly ports: readonly { readonly number: number; readonly protocol: PortProtocol }[];
  readonly canon: Canonicaliser;
  /** Objects of which somebody says that they refuse nothing. */
  readonly assumed: readonly AssumedOpen[];
}

/** What an import makes of its source. With problems there is nothing: a part of a source may be the part that denies. */
export type Imported =
  | { readonly ok: true; readonly set: DraftSet; readonly notes: readonly ImportNote[] }
  | { readonly ok: false; readonly problems: readonly SourceProblem[] };

/** Who answers for all that is imported, for sources that name nobody; without one that is a problem. */
export function ownerOf({ owner }: ImportOptions, problems: SourceProblem[]): string | null {
  if (owner === null) {
    const message = "nothing here says who answers for the policies, and every policy has an owner";
    const at = { file: ".", line: 1, column: 1 };
    problems.push({ code: "missing-key", message, at, excerpt: null, fix: "--owner team@example.com" });
  }
  return owner;
}
