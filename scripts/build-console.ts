/** Builds build/console from src/console and the rooms it runs in the browser. Skips it when no source changed since. `--force` builds always. */
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "vite";

const root = resolve(import.meta.dirname, "..");
const out = join(root, "build/console");
const stampFile = `${out}.sources`;
const { values } = parseArgs({ options: { force: { type: "boolean", default: false } } });

const SOURCES = [
  "src/console/**/*.*",
  "src/{policy,bundle,pdp,analyze}/**/*.ts",
  "scripts/build-console.ts",
  "package-lock.json",
];
const digest = createHash("sha256");
for (const file of SOURCES.flatMap((each) => globSync(each, { cwd: root })).sort()) {
  digest.update(file).update(readFileSync(join(root, file)));
}
const stamp = digest.digest("hex");
const current =
  existsSync(join(out, "index.html")) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp;
if (values.force || !current) {
  await build({
    configFile: false,
    root: join(root, "src/console"),
    base: "/console/",
    logLevel: "warn",
    resolve: {
      alias: {
        "node:crypto": join(root, "src/console/node/crypto.ts"),
        "node:url": join(root, "src/console/node/url.ts"),
      },
    },
    build: {
      outDir: out,
      emptyOutDir: true,
      target: "es2023",
      // The page may run no script that is written into it, and load nothing that is written into another file.
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
    },
  });
  writeFileSync(stampFile, stamp);
}
