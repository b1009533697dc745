#!/usr/bin/env bash
# Compiles and lints every Bicep file with the real compiler (BICEP: which one); a warning fails as an error does.
set -euo pipefail
cd "$(dirname "$0")"
bicep=${BICEP:-bicep}
failed=0

for file in *.bicep modules/*.bicep; do
    for check in "build --stdout" lint; do
        # shellcheck disable=SC2086 # a subcommand and its option
        said=$("$bicep" $check "$file" 2>&1 >/dev/null) || failed=1
        if [ -n "$said" ]; then
            printf '%s\n' "$said"
            failed=1
        fi
    done
    printf '%s\n' "$file"
done
exit "$failed"
