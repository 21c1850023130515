import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { REPOSITORY } from "../cli/run-cli.ts";

const MANIFESTS = join(REPOSITORY, "deploy/manifests");

/** A rendered object, as far as tests look into it. */
// biome-ignore lint/suspicious/noExplicitAny: tests look deep into plain data.
export type Manifest = any;

/** Names of the files of deploy/manifests. */
export function manifestNames(): readonly string[] {
  return readdirSync(MANIFESTS)
    .map((name) => name.replace(/\.yaml$/, ""))
    .sort();
}

/** Objects of one of them. */
export function manifestsOf(name: string): readonly Manifest[] {
  return parseManifests(readFileSync(join(MANIFESTS, `${name}.yaml`), "utf8"));
}

export function parseManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text, { uniqueKeys: true })
    .map((each) => each.toJS())
    .filter((each) => each !== null);
}

/** The one object of a kind and name. @throws when there is none, or several */
export function requireManifest(objects: readonly Manifest[], kinds: readonly string[], name: string): Manifest {
  const found = objects.filter(({ kind, metadata }) => kinds.includes(kind) && metadata.name === name);
  if (found.length !== 1) throw new Error(`${found.length} objects ${kinds.join(" or ")} ${name}`);
  return found[0];
}

/** The server's Deployment or StatefulSet. */
export function serverOf(objects: readonly Manifest[]): Manifest {
  const isServer = ({ name }: Manifest): boolean => name === "sallyport";
  const found = objects.find(({ spec }) => spec?.template?.spec.containers.some(isServer));
  if (found === undefined) throw new Error("no server");
  return found;
}
