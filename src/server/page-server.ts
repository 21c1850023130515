import { createServer, type IncomingMessage, type Server } from "node:http";
import { type Page, sendPage, textPage } from "./page.ts";

/** Serves one page, and nothing else, on connections that are handed to it: it listens nowhere itself. */
export function createPageServer(path: string, page: (request: IncomingMessage) => Page | Promise<Page>): Server {
  const server = createServer(async (request, response) => {
    sendPage(request, response, await answer(request).catch(() => textPage(500, "failed\n")));
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 5_000;
  return server;

  async function answer(request: IncomingMessage): Promise<Page> {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return textPage(405, "GET only\n", { allow: "GET, HEAD" });
    }
    return (request.url ?? "").split("?", 1)[0] === path ? page(request) : textPage(404, `${path}\n`);
  }
}
