#!/bin/sh
# Sizes of the programs and allocations of the engine's stages against perf/limits.txt: the same numbers on every
# run. Usage: perf/gates.sh; the release build must be there. Fails if a limit is exceeded, or a number is missing.
set -eu
cd "$(dirname "$0")/.."
out=perf/out
mkdir -p "$out"
failed=0

judge() { # what, value, limit, unit
    verdict=$(awk -v v="$2" -v m="$3" 'BEGIN { print (v != "" && v + 0 <= m + 0) ? "" : " exceeded" }')
    printf '%-28s%16s%16s  %s%s\n' "$1" "${2:-none}" "$3" "$4" "$verdict"
    if [ -n "$verdict" ]; then failed=1; fi
}

.build/release/bench --smoke --json >"$out/gates.json" 2>/dev/null
while read -r kind name limit; do
    case $kind in
    size)
        strip -o "$out/$name.stripped" ".build/release/$name"
        judge "$name, stripped" "$(stat -c %s "$out/$name.stripped")" "$limit" bytes
        rm -f "$out/$name.stripped"
        ;;
    allocations)
        most=$(sed -n 's/.*"stage":"'"$name"'".*"implementation":"engine".*"allocationsPerMessage":\([0-9.]*\).*/\1/p' \
            "$out/gates.json" | sort -g | tail -1)
        judge "$name, allocations" "$most" "$limit" "a message"
        ;;
    esac
done <perf/limits.txt
exit $failed
