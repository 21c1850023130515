import { createHash } from "node:crypto";
import { type ParsedFile, readDocuments } from "./read-documents.ts";

/** A policy file as read from a directory. */
export interface PolicyFile {
  /** Relative to the policy directory, with `/`. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Why its bytes could not be had; they are empty then. */
  readonly unreadable?: string;
}

/** Keeps what files held, so that a reload parses only what changed. Holds the files of the last two loads. */
export interface ParseCache {
  read(file: PolicyFile): ParsedFile;
  /** Forgets files that were not read since the last call. */
  sweep(): void;
}

export function createParseCache(): ParseCache {
  let older = new Map<string, ParsedFile>();
  let current = new Map<string, ParsedFile>();
  return {
    read({ path, bytes, unreadable }) {
      const key = `${path}\0${unreadable ?? createHash("sha256").update(bytes).digest("base64")}`;
      const parsed = current.get(key) ?? older.get(key) ?? readDocuments(path, bytes, unreadable);
      current.set(key, parsed);
      return parsed;
    },
    sweep() {
      older = current;
      current = new Map();
    },
  };
}
