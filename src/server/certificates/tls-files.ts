import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type TlsMaterial, tlsMaterial } from "./tls-material.ts";

/** Files that change are read again after this time. */
const SETTLED_MS = 25;

/** PEM files of an mTLS listener. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  /** Roots that sign the callers' certificates. */
  readonly clientCa: string;
}

/** Reads the files and makes sure that they fit together. @throws when one is missing or they do not */
export async function readTlsFiles(files: TlsFiles): Promise<TlsMaterial> {
  const [cert, key, ca] = await Promise.all([
    readFile(files.certificate),
    readFile(files.key),
    readFile(files.clientCa),
  ]);
  for (const [name, pem] of [
    ["certificate", cert],
    ["clientCa", ca],
  ] as const) {
    if (!isWhole(pem.toString("latin1"))) throw new Error(`${files[name]} holds no whole certificates`);
  }
  return tlsMaterial({ cert, key, ca });
}

/** OpenSSL takes a file of roots that is empty, or cut off, for one with fewer roots. */
function isWhole(pem: string): boolean {
  const begun = pem.split("-----BEGIN CERTIFICATE-----").length;
  return begun > 1 && begun === pem.split("-----END CERTIFICATE-----").length;
}

/**
 * Reads the files again at an interval and hands over what changed. Files that cannot be read or do not fit together
 * (one half of a rotation) are reported and the old ones stay in force.
 */
export function watchTlsFiles(
  files: TlsFiles,
  known: string,
  intervalMs: number,
  changed: (material: TlsMaterial) => void,
  failed: (error: unknown) => void,
): { close(): void } {
  let digest = known;
  let reading = false;
  const timer = setInterval(async () => {
    if (reading) return;
    reading = true;
    try {
      const material = await readTlsFiles(files);
      if (material.digest === digest) return;
      // Whoever writes them may not be done: what is read twice is taken.
      await sleep(SETTLED_MS);
      if ((await readTlsFiles(files)).digest !== material.digest) return;
      changed(material);
      digest = material.digest;
    } catch (error) {
      failed(error);
    } finally {
      reading = false;
    }
  }, intervalMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
}
