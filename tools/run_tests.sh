#!/usr/bin/env bash
# Makes the environment and runs the tests; arguments go to pytest.
#   bash tools/run_tests.sh
#   bash tools/run_tests.sh tests/goldens -k mit_b0
set -euo pipefail
source "$(dirname "$0")/environment.sh"
environment test
# One thread per process: the tests are many and small.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
exec "$python" -m pytest -n "${PYTEST_WORKERS:-2}" "$@"
