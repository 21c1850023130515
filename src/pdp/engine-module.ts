import { readFileSync } from "node:fs";

const file = new URL("../../build/engine.wasm", import.meta.url);

/** Reads and compiles build/engine.wasm. Throws when it is missing: `npm run build:wasm` makes it. */
export function readEngineModule(): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(file));
}
