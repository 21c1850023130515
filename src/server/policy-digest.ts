import { createHash } from "node:crypto";
import type { PolicyFile } from "../policy/parse-cache.ts";

/** SHA-256 over the paths and the contents of a directory's policy files, as hexadecimal digits. `files` are sorted by path. */
export function digestOf(files: readonly PolicyFile[]): string {
  const hash = createHash("sha256");
  for (const { path, bytes, unreadable = "" } of files) {
    hash.update(`${path.length}:${path}:${unreadable.length}:${unreadable}:${bytes.length}:`).update(bytes);
  }
  return hash.digest("hex");
}
