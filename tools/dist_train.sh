#!/usr/bin/env bash
# Train in several processes on this machine: bash tools/dist_train.sh CONFIG GPUS [options of tools/train.py]
# One process per GPU with nccl; without that many GPUs, processes on the CPU with gloo.
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
exec "$PYTHON" -m torch.distributed.run --standalone --local-addr 127.0.0.1 --nproc_per_node "$count" \
    "$root/tools/train.py" "$config" "$@"
