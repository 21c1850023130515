import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Page, textPage } from "./page.ts";

const BUILD = fileURLToPath(new URL("../../build/", import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** Scripts, styles and answers of this origin only; nothing inline, no frame around it, no form sent, WebAssembly compiled for the engine. */
const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

/** The console's pages by their paths below `/console/`; null for what is none. */
export type ConsolePages = (path: string) => Page | null;

/**
 * Serves what `npm run build` made of src/console, and the engine that decides here for the playground. What is served is read when it is
 * first asked for and is a fixed list of files: no path of a request ever names a file.
 */
export function createConsolePages(build: string = BUILD): ConsolePages {
  let pages: ReadonlyMap<string, Page> | null = null;
  return (path) => {
    pages ??= readPages(build);
    if (pages === null) return path === "" ? textPage(503, MISSING, { ...HEADERS }) : null;
    return pages.get(path) ?? null;
  };
}

const MISSING =
  "The console is not built: npm run build makes it. The pages under /v1 and the command line tell the same.\n";

function readPages(build: string): ReadonlyMap<string, Page> | null {
  const root = join(build, "console");
  try {
    const pages = new Map([["engine.wasm", pageOf(join(build, "engine.wasm"))]]);
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      pages.set(file.slice(root.length + 1).replaceAll("\\", "/"), pageOf(file));
    }
    const index = pages.get("index.html");
    return index === undefined ? null : pages.set("", index);
  } catch {
    return null;
  }
}

function pageOf(file: string): Page {
  return {
    status: 200,
    type: TYPES[extname(file)] ?? "application/octet-stream",
    body: readFileSync(file),
    headers: HEADERS,
  };
}
