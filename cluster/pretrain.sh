#!/usr/bin/env bash
# Pretrains on one machine or several: the launch line, and why each part of it is there.
#
#   cluster/pretrain.sh run.yaml                              this machine, see hostfiles/localhost
#   HOSTFILE=hostfiles/two-nodes NETWORK=10.0.0.0/24 cluster/pretrain.sh run.yaml
#
# What follows run.yaml goes to apus as it is: cluster/pretrain.sh run.yaml --set steps=100
#
# Before the first run on several machines
# - Passwordless ssh from here to each host of the file (try: ssh node-b true).
# - The same program, configuration, corpus and run folder at the same path on every host: the
#   simplest way is to clone, build and train in a folder that all of them mount. The processors
#   and library versions must be alike too; apus compares them at the start and says who differs.
# - cluster/setup.sh on each host, which installs Open MPI and OpenBLAS.
#
# To stop it, send it SIGTERM (as Slurm does) or press Ctrl-C: the ranks save, and the code is 75.
# If it dies (a host lost, kill -9, a full disk), nothing but the steps since the newest checkpoint
# is lost. After either, run the same line again: it goes on from there, with as many ranks as you
# like, and arrives at the same weights.
set -euo pipefail

HOSTFILE=${HOSTFILE:-hostfiles/localhost}  # which machines, and how many ranks on each
THREADS=${THREADS:-1}                      # cores, and worker threads, of a rank
NETWORK=${NETWORK:-}                       # the hosts' common network, as 10.0.0.0/24
APUS=${APUS:-.build/release/apus}

if [ $# -eq 0 ]; then
  echo "usage: [HOSTFILE=…] [THREADS=…] [NETWORK=…] $0 run.yaml [option of apus pretrain …]" >&2
  exit 64
fi

# One "slots" for all hosts: R ranks on each.
read -r hosts per_host alike < <(
  sed 's/#.*//' "$HOSTFILE" | awk -F 'slots=' 'NF > 1 { hosts++; if (!slots) slots = $2 + 0
    if ($2 + 0 != slots) different = 1 } END { print hosts + 0, slots + 0, different ? "no" : "yes" }')
if [ "$hosts" -eq 0 ] || [ "$alike" = no ]; then
  echo "$0: every host of $HOSTFILE needs slots=R, the same R on each." >&2
  exit 2
fi

line=(mpirun -np $((hosts * per_host)) --hostfile "$HOSTFILE")

# R ranks on each host, C cores for each rank, and no rank on another's cores.
line+=(--map-by "ppr:$per_host:node:PE=$THREADS" --bind-to core)

# Where a core is two hardware threads and the ranks want more than the cores, threads count.
cores=$(lscpu -p=core,socket | grep -v '^#' | sort -u | wc -l)
if [ $((per_host * THREADS)) -gt "$cores" ]; then line+=(--use-hwthread-cpus); fi

# Both the ranks (btl) and the daemons that start them (oob) on one network, chosen by its address
# range: left to itself, Open MPI may try a bridge of docker or libvirt and wait there for ever.
if [ -n "$NETWORK" ]; then
  line+=(--mca btl_tcp_if_include "$NETWORK" --mca oob_tcp_if_include "$NETWORK")
fi

# Start every host from here. The default, a tree, needs ssh between the hosts too.
line+=(--mca plm_rsh_no_tree_spawn 1)

# Notice a host that is gone after about 5 seconds instead of 8 minutes.
line+=(--mca oob_tcp_keepalive_time 2 --mca oob_tcp_keepalive_intvl 1)
line+=(--mca oob_tcp_keepalive_probes 3)

# Containers often run as root, which Open MPI refuses unless told that it is meant.
if [ "$(id -u)" -eq 0 ]; then line+=(--allow-run-as-root); fi

line+=("$APUS" pretrain "$@" --threads "$THREADS")

printf '%s ' "${line[@]}"
echo

# Asked to stop, mpirun would kill its ranks after a second; USR2 it hands on to them, and they save
# first. In a process group of its own (set -m) it does not hear the terminal's Ctrl-C.
set -m
"${line[@]}" < /dev/null &
trap 'kill -USR2 $! 2> /dev/null || true' TERM INT HUP

# A trapped signal ends wait early; once mpirun is gone, wait has its code.
while kill -0 $! 2> /dev/null; do wait $! || true; done
wait $!
