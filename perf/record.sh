#!/bin/sh
# Where the time of one stage goes, by function. Usage: perf/record.sh STAGE [bench options]
# SECONDS_PER_RUN (5) and FREQUENCY (4000 Hz) can be set in the environment.
set -eu
cd "$(dirname "$0")/.."
stage=${1-}
case $stage in
parse | apply | update | load | publish) shift ;;
*)
    echo "usage: perf/record.sh STAGE [bench options], for example: perf/record.sh apply --filter spot-btc" >&2
    echo "STAGE is parse, apply, update, load or publish" >&2
    exit 64
    ;;
esac

swift build -c release --product bench >&2
mkdir -p perf/out
data=perf/out/$stage.perf.data
# A recording that failed is of no use and must not be taken for one.
trap 'rm -f "$data.part"' EXIT
# Frame pointers are kept in release builds, so stacks are whole; cpu-clock needs no hardware counter.
perf record --quiet -e cpu-clock -F "${FREQUENCY:-4000}" --call-graph fp -o "$data.part" \
    .build/release/bench --loop "$stage" --seconds "${SECONDS_PER_RUN:-5}" "$@" >&2
mv "$data.part" "$data"
# Only what the stage calls counts: reading a capture and loading the snapshot lie outside `measuredLoop`.
perf script -i "$data" -F comm,ip,sym,dso 2>/dev/null | swift demangle --simplified |
    python3 perf/stacks.py --root measuredLoop --report
echo "recorded in $data; perf/flamegraph.sh $stage draws it" >&2
