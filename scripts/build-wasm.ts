/**
 * Builds build/engine.wasm from src/engine. Skips the work when no source changed since the last build.
 * `--force` builds always; `--out FILE` and `--source DIR` build a copy elsewhere.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { main as compile } from "assemblyscript/asc";
import { engineLayoutSource } from "./engine-layout.ts";

const root = resolve(import.meta.dirname, "..");
const { values } = parseArgs({
  options: {
    force: { type: "boolean", default: false },
    source: { type: "string", default: join(root, "src/engine") },
    out: { type: "string", default: join(root, "build/engine.wasm") },
  },
});

const layoutFile = join(values.source, "layout.ts");
const layout = engineLayoutSource();
if (!existsSync(layoutFile) || readFileSync(layoutFile, "utf8") !== layout) writeFileSync(layoutFile, layout);

const flags = ["-O3", "--runtime", "stub", "--use", "abort="];
const digest = createHash("sha256").update(flags.join(" "));
for (const name of readdirSync(values.source).sort()) {
  if (name.endsWith(".ts")) digest.update(name).update(readFileSync(join(values.source, name)));
}
const stamp = digest.digest("hex");
const stampFile = `${values.out}.sources`;
const current = existsSync(values.out) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp;
if (values.force || !current) {
  mkdirSync(dirname(values.out), { recursive: true });
  const entry = join(values.source, "main.ts");
  const { error, stderr } = await compile([entry, "-o", values.out, ...flags]);
  const text = stderr.toString();
  if (text !== "") process.stderr.write(text);
  if (error) {
    process.stderr.write(`build-wasm: ${error.message}\n`);
    process.exit(1);
  }
  writeFileSync(stampFile, stamp);
}
