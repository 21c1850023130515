import { LAYOUT } from "../src/bundle/layout.ts";
import { REASONS } from "../src/bundle/reason.ts";

/** The text of src/engine/layout.ts: the bundle's layout and the reasons' codes as AssemblyScript constants. */
export function engineLayoutSource(): string {
  const lines = [
    "// Written by scripts/build-wasm.ts from src/bundle/layout.ts and src/bundle/reason.ts. Do not edit.",
  ];
  for (const [name, value] of Object.entries(LAYOUT)) lines.push(`export const ${name}: u32 = ${value};`);
  REASONS.forEach((reason, code) => {
    lines.push(`export const ${`REASON_${reason}`.toUpperCase().replaceAll("-", "_")}: u32 = ${code};`);
  });
  return `${lines.join("\n")}\n`;
}
