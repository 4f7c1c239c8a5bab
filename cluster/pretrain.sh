#!/usr/bin/env bash
# Starts apus on one or more machines: the mpirun command line, with the reason for each part.
#
#   cluster/pretrain.sh run.yaml                    pretrains on this machine
#   cluster/pretrain.sh align grpo.yaml             as well as pretrain, finetune and reward
#   cluster/pretrain.sh run cluster/road.yaml       a recipe; also evaluate and tokenizer
#   HOSTFILE=hostfiles/two-nodes NETWORK=10.0.0.0/24 cluster/pretrain.sh finetune chat.yaml
#
# Further options are passed to apus: cluster/pretrain.sh run.yaml --set steps=100
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

clone=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
HOSTFILE=${HOSTFILE:-$clone/hostfiles/localhost}  # the machines, and the number of ranks on each
THREADS=${THREADS:-1}                             # cores and worker threads per rank
NETWORK=${NETWORK:-}                              # the network of all hosts, such as 10.0.0.0/24
APUS=${APUS:-$clone/.build/release/apus}

# Prints a sentence, and ends with the exit code.
fail() {
  echo "$0: $2" >&2
  exit "$1"
}

usage="usage: [HOSTFILE=…] [THREADS=…] [NETWORK=…] [APUS=…] $0 [COMMAND] run.yaml [option …]"
case ${1:-} in
  pretrain | finetune | reward | align | evaluate | run | tokenizer) command=$1; shift ;;
  "") echo "$usage" >&2; exit 64 ;;
  -h | --help) echo "$usage"; exit 0 ;;
  *)
    command=pretrain
    [[ -e $1 || $1 == *[./]* || $1 == -* ]] || fail 64 "'$1' is neither a file nor one of the commands \
pretrain, finetune, reward, align, evaluate, run and tokenizer; give one of them, then its file."
    ;;
esac
[ $# -gt 0 ] || fail 64 "apus $command needs arguments, such as a file: $0 $command run.yaml"
[ -f "$HOSTFILE" ] && [ -r "$HOSTFILE" ] ||
  fail 2 "HOSTFILE=$HOSTFILE cannot be read; write it like $clone/hostfiles/two-nodes."
[[ $THREADS =~ ^[1-9][0-9]{0,4}$ ]] ||
  fail 64 "THREADS=$THREADS must be a number of threads from 1."
command -v "$APUS" > /dev/null ||
  fail 2 "$APUS is no program; build it with make build, or give its path in APUS."
command -v mpirun > /dev/null || fail 2 "mpirun is missing; install Open MPI with cluster/setup.sh."

# Reads the number of hosts, and R, the number of ranks on each: all hosts must have the same
# slots=R.
read -r hosts per_host alike < <(
  sed 's/#.*//' "$HOSTFILE" | awk -F 'slots=' 'NF { hosts++; if (!slots) slots = $2 + 0
    if (NF < 2 || $2 + 0 < 1 || $2 + 0 != slots) different = 1 }
    END { print hosts + 0, slots + 0, different ? "no" : "yes" }')
if [ "$hosts" -eq 0 ] || [ "$alike" = no ]; then
  fail 2 "every host in $HOSTFILE needs slots=R with the same R of 1 or more; edit the file."
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

# Ranks on other hosts do not get this shell's variables; those that choose kernels must be equal.
for name in ${!APUS_@} ${!OPENBLAS_@} ${!ONEDNN_@} ${!DNNL_@}; do
  line+=(-x "$name")
done

# Containers often run as root, which Open MPI refuses without this option.
if [ "$(id -u)" -eq 0 ]; then line+=(--allow-run-as-root); fi

line+=("$APUS" "$command" "$@" --threads "$THREADS")

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
