#!/bin/sh
# Where the time of one stage goes, by function. Usage: perf/record.sh STAGE [bench options]
# SECONDS_PER_RUN (5) and FREQUENCY (4000 Hz) can be set in the environment.
set -eu
cd "$(dirname "$0")/.."
stage=${1:?usage: perf/record.sh STAGE [bench options], for example: perf/record.sh apply --filter spot-btc}
shift
mkdir -p perf/out
data=perf/out/$stage.perf.data

swift build -c release --product bench >&2
# Frame pointers are kept in release builds, so stacks are whole; cpu-clock needs no hardware counter.
perf record --quiet -e cpu-clock -F "${FREQUENCY:-4000}" --call-graph fp -o "$data" \
    .build/release/bench --loop "$stage" --seconds "${SECONDS_PER_RUN:-5}" "$@" >&2
# Only what the stage calls counts: reading a capture and loading the snapshot lie outside `measuredLoop`.
perf script -i "$data" -F comm,ip,sym,dso 2>/dev/null | swift demangle --simplified |
    python3 perf/stacks.py --root measuredLoop --report
echo "recorded in $data; perf/flamegraph.sh $stage draws it" >&2
