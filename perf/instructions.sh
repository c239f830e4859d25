#!/bin/sh
# Instructions per level and per message of the engine's stages, counted by callgrind: the same number on every
# run, whatever else the machine does. Usage: perf/instructions.sh [CAPTURE…]; fails if a stage exceeds
# perf/limits.txt. Without CAPTURE the limits per message are checked as well, each on the set it names.
#
# Counting is on only inside `measuredLoop`, so start-up, reading the capture and loading the snapshot cost
# nothing. valgrind knows no AVX-512 and hides it from the program, which then runs its AVX2 kernels.
set -eu
cd "$(dirname "$0")/.."
captures=
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
# count STAGE CAPTURE: runs it; leaves levels, messages and count.
count() {
    name=$(basename "$2")
    log=$out/$name.$1.log
    # Standard input is the table of limits, not the program's.
    valgrind --tool=callgrind --callgrind-out-file="$out/$name.$1.callgrind" \
        --toggle-collect='*measuredLoop*' "$out/bench" --capture "$2" \
        --messages "${MESSAGES:-700}" --loop "$1" --passes 1 >"$log" 2>&1 </dev/null ||
        { cat "$log" >&2; exit 1; }
    levels=$(sed -n 's/.*"levels":\([0-9]*\).*/\1/p' "$log")
    messages=$(sed -n 's/.*"messages":\([0-9]*\).*/\1/p' "$log")
    count=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$log")
    level=$(awk -v c="$count" -v l="$levels" 'BEGIN { printf "%.1f", c / l }')
    message=$(awk -v c="$count" -v m="$messages" 'BEGIN { printf "%.0f", c / m }')
}
# within VALUE LIMIT: a remark if it is not.
within() {
    verdict=$(awk -v e="$1" -v m="$2" 'BEGIN { print (e > 0 && e <= m) ? "" : " exceeded" }')
    if [ -n "$verdict" ]; then failed=1; fi
}
printf '%-8s%-30s%10s%16s%12s%8s%14s%8s\n' stage capture levels instructions per-level limit per-message limit
for capture in "$@"; do
    while read -r stage limit other; do
        case $stage in '' | '#'* | size | allocations) continue ;; esac
        if [ -n "$other" ]; then continue; fi
        count "$stage" "$capture"
        within "$level" "$limit"
        printf '%-8s%-30s%10s%16s%12s%8s%14s%s\n' "$stage" "$name" "$levels" "$count" "$level" "$limit" "$message" "$verdict"
    done <perf/limits.txt
done
if [ -n "$captures" ]; then
    while read -r stage set limit; do
        case $stage in '' | '#'* | size | allocations) continue ;; esac
        if [ -z "$limit" ]; then continue; fi
        count "$stage" "$captures/$set"
        within "$message" "$limit"
        printf '%-8s%-30s%10s%16s%12s%8s%14s%8s%s\n' "$stage" "$name" "$levels" "$count" "$level" "" "$message" "$limit" "$verdict"
    done <perf/limits.txt
fi
exit $failed
