import { type FSWatcher, watch } from "node:fs";

/** Watches on a changing set of directories. */
export interface DirectoryWatch {
  /**
   * Watches exactly these from now on; true when some are new, so that a change may have gone unseen until now.
   * Directories that cannot be watched are left to the poll.
   */
  follow(directories: readonly string[]): boolean;
  close(): void;
}

/** More are left to the poll: each costs a kernel object. */
const MAX_WATCHES = 4096;

/**
 * Calls `changed` for events in the directories. Directories are watched rather than files: a file's watch goes deaf
 * once a ConfigMap's `..data` was swapped.
 */
export function createDirectoryWatch(changed: () => void): DirectoryWatch {
  const watches = new Map<string, FSWatcher>();

  function drop(directory: string): void {
    watches.get(directory)?.close();
    watches.delete(directory);
  }

  function add(directory: string): boolean {
    try {
      const watcher = watch(directory, { persistent: false }, (event, name) => {
        // The directory itself was moved or removed: a new one of this name needs a new watch.
        if (event === "rename" && name !== null && directory.endsWith(`/${name}`)) drop(directory);
        changed();
      });
      watcher.on("error", () => drop(directory));
      watches.set(directory, watcher);
      return true;
    } catch {
      // The poll sees what a missing watch does not.
      return false;
    }
  }

  return {
    follow(directories) {
      const wanted = new Set(directories.slice(0, MAX_WATCHES));
      for (const known of [...watches.keys()]) if (!wanted.has(known)) drop(known);
      let added = false;
      for (const directory of wanted) if (!watches.has(directory) && add(directory)) added = true;
      return added;
    },
    close() {
      for (const directory of [...watches.keys()]) drop(directory);
    },
  };
}
