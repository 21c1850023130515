import { readTlsFiles, type TlsFiles, watchTlsFiles } from "./tls-files.ts";
import type { TlsMaterial } from "./tls-material.ts";
import { openWorkloadApi } from "./workload-api.ts";

/** Where the server's own certificate comes from: files that are read again, or the socket of a SPIFFE Workload API. */
export type TlsOptions =
  | { readonly kind: "files"; readonly files: TlsFiles; readonly pollMs: number }
  | { readonly kind: "workload-api"; readonly socket: string };

/** The server's certificate, its key and the callers' roots, as they are now. */
export interface TlsSource {
  readonly material: TlsMaterial;
  /** Calls with each later material. */
  onChange(changed: (material: TlsMaterial) => void): void;
  close(): void;
}

/**
 * Gets the first material and keeps looking for later ones; what cannot be used is told, and the last one stays.
 * @throws when there is none to begin with
 */
export async function openTlsSource(
  options: TlsOptions,
  warn: (message: string, error: unknown) => void,
): Promise<TlsSource> {
  const listeners: ((material: TlsMaterial) => void)[] = [];
  let material: TlsMaterial;
  const changed = (next: TlsMaterial) => {
    material = next;
    for (const each of listeners) each(next);
  };
  let watch: { close(): void };
  if (options.kind === "files") {
    material = await readTlsFiles(options.files);
    watch = watchTlsFiles(options.files, material.digest, options.pollMs, changed, (error) =>
      warn("certificate files cannot be used; the previous ones stay in force", error),
    );
  } else {
    const opened = await openWorkloadApi(options.socket, changed, (error) =>
      warn("the Workload API gives no certificate that can be used; the previous one stays in force", error),
    );
    material = opened.material;
    watch = opened;
  }
  return {
    get material() {
      return material;
    },
    onChange: (each) => void listeners.push(each),
    close: watch.close,
  };
}
