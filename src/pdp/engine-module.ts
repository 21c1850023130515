import { readFileSync } from "node:fs";

const file = new URL("../../build/engine.wasm", import.meta.url);
const filter = new URL("../../build/sallyport-filter.wasm", import.meta.url);

/** Reads the engine as an Envoy filter. @throws when it is missing: `npm run build:wasm` makes it */
export function readFilterCode(): Uint8Array {
  return readFileSync(filter);
}

/** Reads and compiles build/engine.wasm. Throws when it is missing: `npm run build:wasm` makes it. */
export function readEngineModule(): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(file));
}
