/**
 * Builds build/engine.wasm from src/engine and build/sallyport-filter.wasm from src/filter around the same engine. Skips what has no
 * changed source since the last build. `--force` builds always; `--out FILE` and `--source DIR` build a copy of the engine elsewhere.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { main as compile } from "assemblyscript/asc";
import { engineLayoutSource } from "./engine-layout.ts";
import { filterDenialsSource } from "./filter-denials.ts";

const root = resolve(import.meta.dirname, "..");
const engine = join(root, "src/engine");
const filter = join(root, "src/filter");
const { values } = parseArgs({
  options: {
    force: { type: "boolean", default: false },
    source: { type: "string", default: engine },
    out: { type: "string", default: join(root, "build/engine.wasm") },
  },
});

writeIfOther(join(values.source, "layout.ts"), engineLayoutSource());
await build(values.out, join(values.source, "main.ts"), [values.source], ["--runtime", "stub"]);
if (values.source === engine) {
  writeIfOther(join(filter, "denials.ts"), filterDenialsSource());
  // Bundles come and go, so memory is given back; nothing here is collected.
  const out = join(dirname(values.out), "sallyport-filter.wasm");
  await build(out, join(filter, "main.ts"), [engine, filter], ["--runtime", "minimal"]);
}

function writeIfOther(file: string, text: string): void {
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) writeFileSync(file, text);
}

async function build(
  out: string,
  entry: string,
  sources: readonly string[],
  runtime: readonly string[],
): Promise<void> {
  const flags = ["-O3", "--use", "abort=", ...runtime];
  const digest = createHash("sha256").update(flags.join(" "));
  for (const directory of sources) {
    for (const name of readdirSync(directory).sort()) {
      if (name.endsWith(".ts")) digest.update(name).update(readFileSync(join(directory, name)));
    }
  }
  const stamp = digest.digest("hex");
  const stampFile = `${out}.sources`;
  const current = existsSync(out) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp;
  if (!values.force && current) return;
  mkdirSync(dirname(out), { recursive: true });
  const { error, stderr } = await compile([entry, "-o", out, ...flags]);
  const text = stderr.toString();
  if (text !== "") process.stderr.write(text);
  if (error) {
    process.stderr.write(`build-wasm: ${error.message}\n`);
    process.exit(1);
  }
  writeFileSync(stampFile, stamp);
}
