import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";

/** Everything that decides what policy text comes to; package.json names the versions of what is not ours. */
const PARTS = ["../policy/", "../bundle/", "./compiler", "../../build/engine.wasm", "../../package.json"] as const;

/**
 * SHA-256 over the compiler itself: what another build of it made is not taken for its own. @throws when the installation lacks
 * a part of it
 */
export function compilerDigest(): string {
  const hash = createHash("sha256").update(process.version);
  const suffix = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  for (const part of PARTS) for (const file of filesOf(part, suffix)) hash.update(readFileSync(file));
  return hash.digest("hex");
}

function filesOf(part: string, suffix: string): readonly URL[] {
  if (!part.endsWith("/")) return [new URL(part.startsWith("../../") ? part : `${part}${suffix}`, import.meta.url)];
  const folder = new URL(part, import.meta.url);
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(suffix));
  return names.sort().map((name) => new URL(name, folder));
}
