import { relative, resolve, sep } from "node:path";

/**
 * A policy file as CI knows it: from the root of the repository (GitHub names it), else from where the command is run, with
 * `/`. A file outside of it is named by its whole path. @param policies the policy directory that `file` is relative to
 */
export function repositoryPlace(file: string, policies: string): string {
  const root = process.env.GITHUB_WORKSPACE ?? process.cwd();
  const place = relative(root, resolve(policies, file)).split(sep).join("/");
  return place.startsWith("../") ? resolve(policies, file) : place;
}
