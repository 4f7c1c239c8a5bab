#!/usr/bin/env bash
# Pretrains on the hosts of HOSTFILE, by default on this one: cluster/pretrain.sh run.yaml [options]
apus=${APUS:-$(dirname "${BASH_SOURCE[0]}")/../.build/release/apus}
exec "$apus" launch ${HOSTFILE:+--hostfile "$HOSTFILE"} ${THREADS:+--threads "$THREADS"} \
  ${NETWORK:+--network "$NETWORK"} pretrain "$@"
