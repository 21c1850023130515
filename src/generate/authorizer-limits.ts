/** How much a gateway asks of the authorizer at once, whatever generates its configuration. */
export const AUTHORIZER_LIMITS = {
  /** On one connection. The authorizer lets it have as many where connections are few: more would be refused before it can say so. */
  streams: 32,
  /** Of a gateway's; each worker may have one to each server whatever this says. A new one costs the authorizer a TLS handshake. */
  connections: 8,
  /** Checks that wait for room on a connection; further ones are refused. More would time out before they are answered. */
  waiting: 512,
  /** Checks under way, on all connections to all servers. */
  requests: 10_000,
} as const;
