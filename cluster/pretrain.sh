#!/usr/bin/env bash
# Pretrains on one or more machines: the mpirun command line, with the reason for each of its parts.
#
#   cluster/pretrain.sh run.yaml                              this machine, see hostfiles/localhost
#   HOSTFILE=hostfiles/two-nodes NETWORK=10.0.0.0/24 cluster/pretrain.sh run.yaml
#
# Options after run.yaml are passed to apus: cluster/pretrain.sh run.yaml --set steps=100
#
# Before the first run on several machines
# - Set up passwordless ssh from this host to each host of the file (test: ssh node-b true).
# - Put the same program, configuration, corpus and run folder at the same path on every host. The
#   simplest way is to clone, build and train in a folder that all of them mount. Processors and
#   library versions must be equal too; apus compares them at the start and names a rank that
#   differs.
# - Run cluster/setup.sh on each host, which installs Open MPI and OpenBLAS.
#
# To stop it, send it SIGTERM (as Slurm does) or press Ctrl-C: the ranks save a checkpoint, and the
# exit code is 75. After a crash (a lost host, kill -9, a full disk), only the steps since the
# newest checkpoint are lost. In both cases run the same command again: it resumes from the newest
# checkpoint, with any number of ranks, and reaches the same weights.
set -euo pipefail

HOSTFILE=${HOSTFILE:-hostfiles/localhost}  # the machines, and the number of ranks on each
THREADS=${THREADS:-1}                      # cores and worker threads per rank
NETWORK=${NETWORK:-}                       # the network of all hosts, such as 10.0.0.0/24
APUS=${APUS:-.build/release/apus}

if [ $# -eq 0 ]; then
  echo "usage: [HOSTFILE=…] [THREADS=…] [NETWORK=…] $0 run.yaml [option of apus pretrain …]" >&2
  exit 64
fi

# Reads the number of hosts, and R, the number of ranks on each: all hosts must have the same
# slots=R.
read -r hosts per_host alike < <(
  sed 's/#.*//' "$HOSTFILE" | awk -F 'slots=' 'NF > 1 { hosts++; if (!slots) slots = $2 + 0
    if ($2 + 0 != slots) different = 1 } END { print hosts + 0, slots + 0, different ? "no" : "yes" }')
if [ "$hosts" -eq 0 ] || [ "$alike" = no ]; then
  echo "$0: every host in $HOSTFILE needs slots=R with the same R; edit the file." >&2
  exit 2
fi

line=(mpirun -np $((hosts * per_host)) --hostfile "$HOSTFILE")

# R ranks on each host, THREADS cores for each rank, and no core shared by two ranks.
line+=(--map-by "ppr:$per_host:node:PE=$THREADS" --bind-to core)

# When the ranks need more than the physical cores, hardware threads count as cores.
cores=$(lscpu -p=core,socket | grep -v '^#' | sort -u | wc -l)
if [ $((per_host * THREADS)) -gt "$cores" ]; then line+=(--use-hwthread-cpus); fi

# The ranks (btl) and the daemons that start them (oob) use one network, chosen by its address
# range. By default Open MPI may try a bridge of docker or libvirt and hang.
if [ -n "$NETWORK" ]; then
  line+=(--mca btl_tcp_if_include "$NETWORK" --mca oob_tcp_if_include "$NETWORK")
fi

# Start every host from this one. The default, a tree, also needs ssh between the other hosts.
line+=(--mca plm_rsh_no_tree_spawn 1)

# Detect a lost host after about 5 seconds instead of 8 minutes.
line+=(--mca oob_tcp_keepalive_time 2 --mca oob_tcp_keepalive_intvl 1)
line+=(--mca oob_tcp_keepalive_probes 3)

# Containers often run as root, which Open MPI refuses without this option.
if [ "$(id -u)" -eq 0 ]; then line+=(--allow-run-as-root); fi

line+=("$APUS" pretrain "$@" --threads "$THREADS")

printf '%s ' "${line[@]}"
echo

# At SIGTERM mpirun kills its ranks after a second. It forwards SIGUSR2 to them, and they save
# first. In a process group of its own (set -m) mpirun does not receive the terminal's Ctrl-C.
set -m
"${line[@]}" < /dev/null &
trap 'kill -USR2 $! 2> /dev/null || true' TERM INT HUP

# A trapped signal ends wait early; after mpirun has exited, wait returns its exit code.
while kill -0 $! 2> /dev/null; do wait $! || true; done
wait $!
