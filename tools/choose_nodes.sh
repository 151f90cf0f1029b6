# Sourced by dist_train.sh and dist_test.sh: sets the array $nodes, torchrun's options for where the processes run. From
# the environment: NNODES, NODE_RANK, MASTER_ADDR and PORT of several machines; PORT alone fixes the port on one.
_stop() {
    echo "error: $1" >&2
    exit 2
}
_is_number() { [[ "$1" =~ ^[0-9]{1,9}$ ]] && ((10#$1 >= $2 && 10#$1 <= $3)); }

_count=${NNODES:-1}
_is_number "$_count" 1 999999999 || _stop "NNODES=$_count: expected a number of machines from 1"
[ -z "${PORT:-}" ] || _is_number "$PORT" 1 65535 || _stop "PORT=$PORT: expected a port from 1 to 65535"
if ((10#$_count > 1)); then
    if [ -z "${NODE_RANK:-}" ] || [ -z "${MASTER_ADDR:-}" ]; then
        _stop "NNODES=$_count needs NODE_RANK, the number of this machine from 0 to $((10#$_count - 1)), and MASTER_ADDR, the address of machine 0"
    fi
    _is_number "$NODE_RANK" 0 $((10#$_count - 1)) ||
        _stop "NODE_RANK=$NODE_RANK: expected the number of this machine, from 0 to $((10#$_count - 1)) as NNODES=$_count"
    nodes=(--nnodes "$_count" --node_rank "$NODE_RANK" --master_addr "$MASTER_ADDR" --master_port "${PORT:-29500}")
elif [ -n "${NODE_RANK:-}" ] && [ "$NODE_RANK" != 0 ]; then
    _stop "NODE_RANK=$NODE_RANK is of several machines: give NNODES, their number, too"
elif [ -n "${PORT:-}" ]; then
    nodes=(--nnodes 1 --node_rank 0 --master_addr 127.0.0.1 --master_port "$PORT")
else
    # Finds a free port, so that two runs on one machine do not meet. The address needs no name service.
    nodes=(--standalone --local-addr 127.0.0.1)
fi
