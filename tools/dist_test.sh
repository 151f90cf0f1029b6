#!/usr/bin/env bash
# Evaluates on several GPUs (or CPU processes); further options go to tools/test.py.
#   bash tools/dist_test.sh CONFIG CHECKPOINT GPUS --eval mIoU
# On several machines: NNODES, NODE_RANK, MASTER_ADDR and PORT as for dist_train.sh.
set -eu
if [ $# -lt 3 ] || ! [ "$3" -gt 0 ] 2>/dev/null; then
    echo 'usage: bash tools/dist_test.sh CONFIG CHECKPOINT GPUS [options of tools/test.py]' >&2
    exit 2
fi
config=$1 checkpoint=$2 gpus=$3
shift 3
root=$(dirname "$0")/..
. "$root/tools/choose_python.sh"
. "$root/tools/choose_nodes.sh"
exec "$PYTHON" -m torch.distributed.run "${nodes[@]}" --nproc_per_node "$gpus" \
    "$root/tools/test.py" "$config" "$checkpoint" "$@"
