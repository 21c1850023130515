import type { Canonicaliser } from "../policy/canonicaliser.ts";
import type { PortProtocol } from "../policy/model.ts";
import type { PolicyFile } from "../policy/parse-cache.ts";
import type { SourceProblem } from "../policy/yaml-source.ts";
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
}

/** What an import makes of its source. With problems there is nothing: a part of a source may be the part that denies. */
export type Imported =
  | { readonly ok: true; readonly set: DraftSet; readonly notes: readonly ImportNote[] }
  | { readonly ok: false; readonly problems: readonly SourceProblem[] };

/** A file of the source, as it is read: the same as a file of a policy directory. */
export type SourceFileBytes = PolicyFile;
