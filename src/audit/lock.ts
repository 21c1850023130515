import { DatabaseSync } from "node:sqlite";

/** What keeps other writers away from a trail. */
export interface TrailLock {
  release(): void;
}

const BUSY = 5;

/**
 * Takes the trail's lock, `FILE.lock`, for as long as this process lives. It is a lock of the kernel's, held through
 * SQLite because Node has no call for one: it ends with the process however that ends, and holds between containers
 * that share the directory. @throws when another process has it, or the file cannot be made
 */
export function lockTrail(path: string): TrailLock {
  const lock = `${path}.lock`;
  const database = open(lock);
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode !== BUSY) throw cannotBeMade(lock, error);
    throw new Error(
      `${path} is written by another process (it holds ${lock}): give each server an audit file of its own`,
    );
  }
  return {
    release() {
      if (database.isOpen) database.close();
    },
  };
}

function open(lock: string): DatabaseSync {
  try {
    return new DatabaseSync(lock);
  } catch (error) {
    throw cannotBeMade(lock, error);
  }
}

function cannotBeMade(lock: string, error: unknown): Error {
  const why = error instanceof Error ? error.message : String(error);
  return new Error(`${lock} cannot be made (is the directory there, and writable?): ${why}`);
}
