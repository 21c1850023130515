import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { LIMITS } from "../../policy/limits.ts";
import { readPolicyDirectory } from "../../server/read-policies.ts";

/** The name of standard input on the command line. */
export const STDIN = "-";

/** A text to lay out. */
export interface NamedText {
  /** As it can be named on the command line. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** Why there are no bytes; null when there are. */
  readonly unreadable: string | null;
}

/** The policy files of paths, or without any of a directory; a text says why a path could not be read. */
export async function readTexts(paths: readonly string[], policies: string): Promise<readonly NamedText[] | string> {
  const texts = new Map<string, NamedText>();
  for (const path of paths.length === 0 ? [policies] : paths) {
    try {
      for (const text of await readPath(path)) texts.set(text.file, text);
    } catch (error) {
      return `${path} cannot be read: ${error instanceof Error ? error.message : error}`;
    }
  }
  return [...texts.values()];
}

async function readPath(path: string): Promise<NamedText[]> {
  if (path === STDIN) return [{ file: STDIN, bytes: await readStdin(), unreadable: null }];
  if (!(await stat(path)).isDirectory()) return [{ file: path, bytes: await readFile(path), unreadable: null }];
  const files = await readPolicyDirectory(path);
  return files.map((each) => ({
    file: join(path, each.path),
    bytes: each.bytes,
    unreadable: each.unreadable ?? null,
  }));
}

/** All of standard input, or as much of it as shows that it is too large. */
async function readStdin(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > LIMITS.fileBytes) break;
  }
  return Buffer.concat(chunks);
}
