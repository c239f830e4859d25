#!/bin/sh
# Draws the stacks of perf/record.sh as a flame graph. Usage: perf/flamegraph.sh STAGE [bench options]
# Records first if there is no recording of this stage, or if options are given.
set -eu
cd "$(dirname "$0")/.."
stage=${1:?usage: perf/flamegraph.sh STAGE [bench options]}
data=perf/out/$stage.perf.data
if [ $# -gt 1 ] || [ ! -f "$data" ]; then perf/record.sh "$@" >/dev/null; fi
svg=perf/out/$stage.svg
perf script -i "$data" -F comm,ip,sym,dso 2>/dev/null | swift demangle --simplified |
    python3 perf/stacks.py --root measuredLoop --title "bench --loop $stage" >"$svg"
echo "$svg"
