/** Exit codes of every command; scripts rely on them. */
export const EXIT = {
  /** It worked; for `check` and `explain`: allow. */
  ok: 0,
  /** Something failed that is neither the policies' nor the caller's fault: a file, a connection. */
  failure: 1,
  /** `check`, `explain`: deny. */
  deny: 2,
  /** The policy set has errors; for `import`: its source. */
  invalidPolicy: 3,
  /** `test`: a case did not come out as expected; `lint`: something was found that `--fail-on` names; `promote`: a policy is not ready. */
  checkFailed: 4,
  /** `generate --check`: the directory is not what the policies say; `diff`, `replay`: something changes that `--fail-on` names. */
  differs: 5,
  /** The command line cannot be understood. */
  usage: 64,
} as const;
