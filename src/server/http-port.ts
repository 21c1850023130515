import { createServer, type RequestListener } from "node:http";
import { boundAddress, formatListenAddress, type ListenAddress } from "./address.ts";

/** An open port that speaks HTTP. */
export interface HttpPort {
  /** With the port that was really taken. */
  readonly address: string;
  /** Ends its connections too. */
  close(): Promise<void>;
}

/** Opens one. @throws when the address cannot be had */
export async function openHttpPort(
  address: ListenAddress,
  { maxConnections, requestMs }: { readonly maxConnections: number; readonly requestMs: number },
  answer: RequestListener,
): Promise<HttpPort> {
  const server = createServer(answer);
  server.requestTimeout = requestMs;
  server.headersTimeout = 5_000;
  server.maxConnections = maxConnections;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    const where = address.kind === "unix" ? { path: address.path } : { host: address.host, port: address.port };
    server.listen(where, resolve);
  });
  return {
    address: formatListenAddress(boundAddress(server.address(), address)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
