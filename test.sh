#!/bin/sh
# Evaluates a run at its last iterate, with palette PNGs of all predictions in RUN/preds; further options go to tools/test.py.
#   sh test.sh work_dirs/RUN/
#   PYTHON=python3.12 sh test.sh work_dirs/RUN --ema
if [ $# -lt 1 ] || [ "${1#-}" != "$1" ]; then
    echo 'usage: sh test.sh work_dirs/RUN/ [options of tools/test.py]' >&2
    exit 2
fi
run=$1
shift
while [ "$run" != / ] && [ "${run%/}" != "$run" ]; do run=${run%/}; done

root=$(dirname "$0")
. "$root/tools/choose_python.sh"
if ! [ -d "$run" ]; then
    echo "error: $run: no such run folder" >&2
    exit 1
fi
exec "$PYTHON" "$root/tools/test.py" "$run" --eval mIoU --show-dir "$run/preds" --opacity 1 "$@"
