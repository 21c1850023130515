import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Leaf } from "../../src/cli/demo/pki.ts";
import type { TlsFiles } from "../../src/server/certificates/tls-files.ts";

/** Writes a listener's files into a directory of their own. */
export function writeTlsFiles(
  server: Leaf,
  clientCa: string,
): TlsFiles & { write(next: Leaf, ca: string): void; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-tls-"));
  const files = {
    certificate: join(directory, "tls.crt"),
    key: join(directory, "tls.key"),
    clientCa: join(directory, "ca.crt"),
  };
  const write = (next: Leaf, ca: string) => {
    writeFileSync(files.certificate, next.cert);
    writeFileSync(files.key, next.key);
    writeFileSync(files.clientCa, ca);
  };
  write(server, clientCa);
  return { ...files, write, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
