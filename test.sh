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

here=$(dirname "$0")
if [ -z "$PYTHON" ]; then
    PYTHON=python3
    # The environment that tools/demo.sh makes, unless another one is active.
    [ -z "$VIRTUAL_ENV$CONDA_PREFIX" ] && [ -x "$here/.venv/bin/python" ] && PYTHON=$here/.venv/bin/python
fi
if ! [ -d "$run" ]; then
    echo "error: $run: no such run folder" >&2
    exit 1
fi
exec "$PYTHON" "$here/tools/test.py" "$run" --eval mIoU --show-dir "$run/preds" --opacity 1 "$@"
