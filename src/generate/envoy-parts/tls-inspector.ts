import { extension } from "./typed.ts";

/** Reads the name that a TLS client says. */
export function tlsInspector(): object {
  return extension(
    "envoy.filters.listener.tls_inspector",
    "extensions.filters.listener.tls_inspector.v3.TlsInspector",
    {},
  );
}
