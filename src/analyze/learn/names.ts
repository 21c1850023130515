import { createHash } from "node:crypto";
import { LIMITS } from "../../policy/limits.ts";
import { parseName } from "../../policy/token.ts";

/**
 * Gives each text a name of the language that is not taken yet, and takes it: the text with `-` for whatever a name cannot hold.
 * One that is too long or taken ends in a digest of the text, so that it does not depend on what else there is to name.
 */
export function createNamer(taken: Iterable<string>): (text: string) => string {
  const names = new Set(taken);
  return (text) => {
    const parsed = parseName(text);
    const plain = parsed.ok ? text : parsed.fix;
    let name = plain ?? "";
    for (let round = 0; name === "" || name.length > LIMITS.nameBytes || names.has(name); round++) {
      const digest = createHash("sha256").update(`${round} ${text}`).digest("hex").slice(0, 8);
      const lead = (plain ?? slug(text)).slice(0, LIMITS.nameBytes - digest.length - 1).replace(/-+$/, "");
      name = lead === "" ? digest : `${lead}-${digest}`;
    }
    names.add(name);
    return name;
  };
}

/** What `parseName` suggests only where it is short enough. */
function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^-a-z0-9]+/g, "-")
    .replace(/^-+/, "");
}
