import type { IncomingMessage, ServerResponse } from "node:http";

/** An answer over HTTP. */
export interface Page {
  readonly status: number;
  /** Media type; empty for none. */
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export function textPage(status: number, body: string, headers?: Record<string, string>): Page {
  return { status, type: "text/plain; charset=utf-8", body, ...(headers === undefined ? {} : { headers }) };
}

/** Sends it; to HEAD without its body. */
export function sendPage(request: IncomingMessage, response: ServerResponse, page: Page): void {
  const headers: Record<string, string> = { "x-content-type-options": "nosniff", ...page.headers };
  if (page.type !== "") headers["content-type"] = page.type;
  if (page.status !== 304) headers["content-length"] = String(Buffer.byteLength(page.body));
  response.writeHead(page.status, headers);
  response.end(request.method === "HEAD" ? undefined : page.body);
}
