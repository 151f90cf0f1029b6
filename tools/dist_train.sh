#!/usr/bin/env bash
# Train in several processes: bash tools/dist_train.sh CONFIG GPUS [options of tools/train.py]
# One process per GPU with nccl; without that many GPUs, processes on the CPU with gloo. On several machines, on each:
#   NNODES=2 NODE_RANK=0 MASTER_ADDR=10.0.0.1 PORT=29500 bash tools/dist_train.sh CONFIG GPUS     # GPUs of this machine
set -euo pipefail
if [ $# -lt 2 ] || ! [[ "$2" =~ ^[1-9][0-9]*$ ]]; then
    echo "usage: bash tools/dist_train.sh CONFIG GPUS [options of tools/train.py]" >&2
    exit 2
fi
config=$1
count=$2
shift 2
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cores=$(getconf _NPROCESSORS_ONLN)
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$((cores > count ? cores / count : 1))}"
source "$root/tools/choose_python.sh"
source "$root/tools/choose_nodes.sh"
exec "$PYTHON" -m torch.distributed.run "${nodes[@]}" --nproc_per_node "$count" \
    "$root/tools/train.py" "$config" "$@"
