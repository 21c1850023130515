import { open } from "node:fs/promises";
import { basename } from "node:path";
import { LIMITS } from "../../policy/limits.ts";
import type { PolicyFile } from "../../policy/parse-cache.ts";
import { EXIT } from "../exit-code.ts";
import { printFailure } from "../output.ts";

/** A file of a source; of one that is too large, as much as shows it. Null, after saying why, when it cannot be read. */
export async function readSourceFile(path: string, next: string): Promise<PolicyFile | null> {
  try {
    const file = await open(path);
    try {
      const bytes = Buffer.alloc(LIMITS.fileBytes + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await file.read(bytes, length, bytes.length - length);
        length += bytesRead;
        if (bytesRead === 0 || length === bytes.length) break;
      }
      return { path: basename(path), bytes: bytes.subarray(0, length) };
    } finally {
      await file.close();
    }
  } catch (error) {
    printFailure(`${path} cannot be read: ${error instanceof Error ? error.message : error}`, next);
    process.exitCode = EXIT.failure;
    return null;
  }
}
