#!/usr/bin/env bash
# From a fresh clone to an adapted segmentation network, in minutes on a CPU:
# environment, two made-up domains, source-only training, UDA training, mIoU of both on the target, a sheet of pictures
# and a report.
# A second run reuses what is there and continues what was interrupted.
#   bash tools/demo.sh
#   PYTHON=python3.12 METHOD=dacs bash tools/demo.sh      METHOD: a file of configs/demo (default: daformer)
set -euo pipefail
source "$(dirname "$0")/environment.sh"
environment demo

METHOD=${METHOD:-daformer}
DATA=data/demo
RUNS=work_dirs/demo
[ -f "configs/demo/$METHOD.py" ] || die "METHOD=$METHOD: no configs/demo/$METHOD.py; there are: $(cd configs/demo && echo *.py)"

headline() { printf '\n== %s\n' "$*"; }

headline "Data: two domains of street scenes in $DATA"
"$python" -m tools.make_demo_data "$DATA" --domains gta,cityscapes
"$python" -m tools.convert_datasets.gta "$DATA/gta" --nproc 2
"$python" -m tools.convert_datasets.cityscapes "$DATA/cityscapes" --nproc 2

headline 'ImageNet weights of the backbone'
"$python" -m tools.get_pretrained efficientnet_lite0

for run in source_only "$METHOD"; do
    headline "Training $run ($RUNS/$run)"
    "$python" -m tools.train "configs/demo/$run.py" --work-dir "$RUNS/$run" --resume
    headline "Evaluating $run on the target's validation images"
    "$python" -m tools.test "configs/demo/$run.py" "$RUNS/$run/latest.pth" --eval mIoU --work-dir "$RUNS/$run" \
        --show-dir "$RUNS/$run/preds" --opacity 1
done

headline 'Side by side'
"$python" -m tools.compare "$RUNS/source_only" "$RUNS/$METHOD" --sheet "$RUNS/sheet.png"
"$python" -m tools.report "$RUNS/source_only" "$RUNS/$METHOD" --out "$RUNS/report.html"
