import { createHash } from "node:crypto";

/** The content address of a bundle: `sha256:` and 64 hexadecimal digits. Equal bytes, equal revision. */
export function bundleRevision(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
