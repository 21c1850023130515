/** Where a policy file lies decides whose it is. @see docs/semantics.md §1 */

/** The namespace of a file's directory: the first segment of its path, `""` for the top. */
export function placeOf(path: string): string {
  const slash = path.indexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

/** Test documents live in `*.test.yaml` and `*.test.yml` and nowhere else. */
export function isTestFile(path: string): boolean {
  return /\.test\.ya?ml$/.test(path);
}
