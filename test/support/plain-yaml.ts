import { parseAllDocuments } from "yaml";
import { readPlainYaml } from "../../src/policy/plain/read-plain.ts";
import { refuseFeatures } from "../../src/policy/yaml-features.ts";
import { notePlaces, Places } from "../../src/policy/yaml-places.ts";

/** What the short way and the library read of a text; null = the short way leaves it to the library. */
export interface BothReadings {
  readonly plain: unknown;
  readonly library: unknown;
}

/** Reads a text in both ways: values, places, and whatever the library has to say against it. */
export function readBoth(text: string): BothReadings | null {
  const plain = readPlainYaml(text);
  if (plain === null) return null;
  const options = { uniqueKeys: false, stringKeys: true, version: "1.2", schema: "core", logLevel: "silent" } as const;
  const problems: string[] = [];
  const library = [...parseAllDocuments(text, options)].map((document) => {
    problems.push(...[...document.errors, ...document.warnings].map(({ message }) => message));
    const { contents } = document;
    if (contents === null) problems.push("an empty document");
    else refuseFeatures(contents as never, text, (code) => problems.push(code));
    const places = new Places(text);
    notePlaces(places, contents);
    return { value: document.toJS(), places };
  });
  return {
    plain: { documents: plain.map(({ value, places }) => ({ value, places })), problems: [] },
    library: { documents: library, problems },
  };
}
