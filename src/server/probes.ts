import type { ListenAddress } from "./address.ts";
import { type HttpPort, openHttpPort } from "./http-port.ts";
import { type Page, sendPage, textPage } from "./page.ts";

/** A few kubelets' worth: whoever else comes here must not cost the server its files. */
const LIMITS = { maxConnections: 64, requestMs: 5_000 };

/**
 * Opens a port that others may reach: `/livez` and `/readyz`, a yes or a no and nothing else, for a kubelet, which asks from
 * outside of the Pod and without a certificate. @throws when the address cannot be had
 */
export function openProbes(address: ListenAddress, ready: () => boolean): Promise<HttpPort> {
  return openHttpPort(address, LIMITS, (request, response) => {
    sendPage(request, response, answer(request.method, request.url, ready));
  });
}

function answer(method: string | undefined, path: string | undefined, ready: () => boolean): Page {
  if (method !== "GET" && method !== "HEAD") return textPage(405, "GET only\n", { allow: "GET, HEAD" });
  switch (path) {
    case "/livez":
      return textPage(200, "ok\n");
    case "/readyz":
      return ready() ? textPage(200, "ok\n") : textPage(503, "not ready\n");
    default:
      return textPage(404, "/livez /readyz\n");
  }
}
