# Sourced with $root, the repository: sets $PYTHON, unless it is set, to the interpreter of the environment that demo.sh
# and run_tests.sh make ($VENV, by default .venv), or to python3 where another environment is active or there is none.
if [ -z "${PYTHON:-}" ]; then
    PYTHON=python3
    case ${VENV:-} in
        /*) environment=$VENV ;;
        *) environment=$root/${VENV:-.venv} ;;
    esac
    if [ -z "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] && [ -x "$environment/bin/python" ]; then
        PYTHON=$environment/bin/python
    fi
fi
