import type { PolicyFile } from "../policy/parse-cache.ts";
import type { LoadOutcome } from "./load-outcome.ts";
import { createDirectoryWatch } from "./watch-directories.ts";

/** What policies are made of: a directory, or files that somebody else has read. Plain data: it crosses a thread boundary. */
export type PolicyInput =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "files"; readonly files: readonly PolicyFile[] };

/** Where policies come from. */
export interface PolicySource {
  /** What is to be in force now, or why nobody knows. */
  current(): PolicyInput | { readonly kind: "unknown"; readonly why: string };
  /** Calls whenever that may have changed. At most one caller. */
  watch(changed: () => void): void;
  /** What came of the last `current`. True when a change may have gone unseen meanwhile. */
  loaded(outcome: LoadOutcome): boolean;
  close(): void;
}

/** A directory of files, whose changes are told by the file system as far as it does. */
export function createDirectorySource(path: string): PolicySource {
  let watching = createDirectoryWatch(() => {});
  return {
    current: () => ({ kind: "directory", path }),
    watch(changed) {
      watching.close();
      watching = createDirectoryWatch(changed);
    },
    loaded: (outcome) => "directories" in outcome && watching.follow(outcome.directories),
    close: () => watching.close(),
  };
}
