#!/usr/bin/env bash
# Evaluates on several GPUs (or CPU processes) of this machine; further options go to tools/test.py.
#   bash tools/dist_test.sh CONFIG CHECKPOINT GPUS --eval mIoU
set -eu
if [ $# -lt 3 ] || ! [ "$3" -gt 0 ] 2>/dev/null; then
    echo 'usage: bash tools/dist_test.sh CONFIG CHECKPOINT GPUS [options of tools/test.py]' >&2
    exit 2
fi
config=$1 checkpoint=$2 gpus=$3
shift 3
root=$(dirname "$0")/..
. "$root/tools/choose_python.sh"
# --standalone finds a free port: two evaluations on one machine do not meet. The address needs no name service.
exec "$PYTHON" -m torch.distributed.run --standalone --local-addr 127.0.0.1 --nproc_per_node "$gpus" \
    "$root/tools/test.py" "$config" "$checkpoint" "$@"
