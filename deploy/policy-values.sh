#!/bin/sh
# Writes a policy directory as values of the chart: deploy/policy-values.sh policies > policies.values.yaml
set -eu
cd "${1:?name the policy directory}"
printf 'policies:\n  files:\n'
find . -name '*.yaml' ! -name '*.test.yaml' | LC_ALL=C sort | while IFS= read -r file; do
  printf '    "%s": |2\n' "${file#./}"
  sed 's/^/      /' "$file"
done
