import { readFileSync } from "node:fs";

/** This program's version, from package.json, which stands two folders up whether it runs from src or dist. */
export const VERSION: string = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
