import type { BrowserContext, Page } from "playwright-core";

/** A page of the console, and what it should not have done. */
export interface WatchedPage {
  readonly page: Page;
  /** Requests to anywhere but its server. */
  readonly foreign: readonly string[];
  /** Violations of its policy of contents, errors, and whatever it complained of. */
  readonly complaints: readonly string[];
}

/** Opens it and watches it from the start. */
export async function openWatched(context: BrowserContext, origin: string): Promise<WatchedPage> {
  const page = await context.newPage();
  const foreign: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== origin) foreign.push(request.url());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  await page.exposeFunction("violated", (what: string) => complaints.push(what));
  await page.addInitScript(
    "addEventListener('securitypolicyviolation', (each) => violated(each.violatedDirective + ' ' + each.blockedURI))",
  );
  await page.goto(`${origin}/console/`);
  return { page, foreign, complaints };
}
