#!/bin/sh
# Instructions per level of the engine's stages, counted by callgrind: the same number on every run, whatever
# else the machine does. Usage: perf/instructions.sh [CAPTURE…]; fails if a stage exceeds perf/limits.txt.
#
# Counting is on only inside `measuredLoop`, so start-up, reading the capture and loading the snapshot cost
# nothing. valgrind knows no AVX-512 and hides it from the program, which then runs its AVX2 kernels.
set -eu
cd "$(dirname "$0")/.."
if [ $# -eq 0 ]; then
    captures=${LOB_CAPTURES:-../shared/data}
    set -- "$captures/hbt-spot-btcusdt-2024-08" "$captures/hbt-usdm-btcusdt-2024-08"
fi
out=perf/out
mkdir -p "$out"

swift build -c release --product bench >&2
# valgrind 3.19 stops at the debug information of current compilers; the symbols are all it needs.
strip --strip-debug -o "$out/bench" .build/release/bench

failed=0
printf '%-8s%-30s%10s%16s%12s%8s%14s\n' stage capture levels instructions per-level limit per-message
for capture in "$@"; do
    name=$(basename "$capture")
    while read -r stage limit; do
        case $stage in '' | '#'*) continue ;; esac
        log=$out/$name.$stage.log
        # Standard input is the table of limits, not the program's.
        valgrind --tool=callgrind --callgrind-out-file="$out/$name.$stage.callgrind" \
            --toggle-collect='*measuredLoop*' "$out/bench" --capture "$capture" \
            --messages "${MESSAGES:-700}" --loop "$stage" --passes 1 >"$log" 2>&1 </dev/null ||
            { cat "$log" >&2; exit 1; }
        levels=$(sed -n 's/.*"levels":\([0-9]*\).*/\1/p' "$log")
        messages=$(sed -n 's/.*"messages":\([0-9]*\).*/\1/p' "$log")
        count=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$log")
        each=$(awk -v c="$count" -v l="$levels" 'BEGIN { printf "%.1f", c / l }')
        message=$(awk -v c="$count" -v m="$messages" 'BEGIN { printf "%.0f", c / m }')
        verdict=$(awk -v e="$each" -v m="$limit" 'BEGIN { print (e > 0 && e <= m) ? "" : " exceeded" }')
        printf '%-8s%-30s%10s%16s%12s%8s%14s%s\n' "$stage" "$name" "$levels" "$count" "$each" "$limit" "$message" "$verdict"
        if [ -n "$verdict" ]; then failed=1; fi
    done <perf/limits.txt
done
exit $failed
