# Sourced by demo.sh and run_tests.sh: goes to the repository root, makes the virtual environment (or reuses it), sets $python.
#   PYTHON  interpreter that the environment is made from   (default: python3)
#   VENV    folder of the environment                        (default: .venv)
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
PYTHON=${PYTHON:-python3}
VENV=${VENV:-.venv}

die() { echo "error: $*" >&2; exit 1; }

# Swaps opencv-python for the headless build of the same version where system libraries of the former are missing.
ensure_cv2() {
    "$python" -c 'import cv2' 2>/dev/null && return
    local reason version
    reason=$("$python" -c 'import cv2' 2>&1 | tail -n 1) || true
    version=$("$python" -m pip show opencv-python 2>/dev/null | sed -n 's/^Version: //p') || true
    [ -n "$version" ] || die "OpenCV cannot be imported: $reason"
    echo "OpenCV cannot be imported here ($reason): installing opencv-python-headless $version in its place"
    "$python" -m pip uninstall --quiet --yes opencv-python || die 'could not remove opencv-python'
    "$python" -m pip install --quiet "opencv-python-headless==$version" || die 'could not install opencv-python-headless'
    "$python" -c 'import cv2' || die 'OpenCV still cannot be imported'
}

# environment EXTRA: installs requirements.txt and requirements-EXTRA.txt; a second call starts at once.
environment() {
    local extra=$1 stamp wanted
    command -v "$PYTHON" >/dev/null || die "$PYTHON is not found; name an interpreter: PYTHON=/path/to/python3 bash $0"
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        die "$("$PYTHON" --version) is too old; 3.10 or newer is needed: PYTHON=/path/to/python3 bash $0"
    if [ ! -x "$VENV/bin/python" ]; then
        echo "Making a virtual environment in $VENV"
        "$PYTHON" -m venv "$VENV" || die "could not make a virtual environment (on Debian and Ubuntu: apt-get install python3-venv)"
    fi
    python=$PWD/$VENV/bin/python
    case $VENV in /*) python=$VENV/bin/python ;; esac
    stamp=$VENV/installed-$extra
    wanted=$(cat requirements.txt "requirements-$extra.txt" | cksum)
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        echo "Installing the packages of requirements.txt and requirements-$extra.txt into $VENV (a few minutes, once)"
        "$python" -m pip install --quiet --upgrade pip || die 'pip failed'
        "$python" -m pip install --quiet --requirement requirements.txt --requirement "requirements-$extra.txt" ||
            die 'the installation failed; see the lines above'
        ensure_cv2
        echo "$wanted" > "$stamp"
    fi
}
