#!/usr/bin/env bash
# A real Slurm on the hosts of the laboratory (cluster/lab.sh), for trials of batch scripts.
#
#   cluster/lab.sh up 2
#   cluster/slurm.sh up              starts munged, slurmctld, and a slurmd on each host
#   cluster/slurm.sh in COMMAND …    runs a Slurm command on the first host, such as sinfo or sbatch
#   cluster/slurm.sh down            ends them; cluster/lab.sh down does so too
#
# `up` installs the packages slurmctld, slurmd, slurm-client and munge where they are missing. The
# services of the machine are not used: keys, configuration and state are in LAB_FOLDER/slurm.
# Variables: LAB and LAB_FOLDER of cluster/lab.sh; CPUS=2, the cores that each host offers.
set -euo pipefail

export LAB=${LAB:-lab}
export LAB_FOLDER=${LAB_FOLDER:-/tmp/apus-$LAB}
CPUS=${CPUS:-2}
lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lab.sh
folder=$LAB_FOLDER/slurm
export SLURM_CONF=$folder/slurm.conf

# Prints a sentence, and ends with the exit code.
fail() {
  echo "cluster/slurm.sh: $2" >&2
  exit "$1"
}

install_packages() {
  command -v slurmctld slurmd sbatch munged > /dev/null && return
  command -v apt-get > /dev/null ||
    fail 69 "Slurm is missing, and this system has no apt-get; install slurmctld, slurmd and munge."
  echo "Installing slurmctld slurmd slurm-client munge"
  # Nothing is to start by itself.
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
  local packages=(slurmctld slurmd slurm-client munge)
  apt-get -qq install -y --no-install-recommends "${packages[@]}" > /dev/null 2>&1 || {
    apt-get -qq update
    apt-get -qq install -y --no-install-recommends "${packages[@]}" > /dev/null
  }
}

# Writes slurm.conf. All hosts see the same files, so the controller and every slurmd read it.
write_configuration() {
  local hosts=$1 first=${1%% *} host
  cat > "$SLURM_CONF" <<CONF
ClusterName=$LAB
SlurmctldHost=$first
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd-%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd-%n.log
# No cgroups: a container has none to give.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2,batch_sched_delay=0
# A job may offer more cores than the machine has: all hosts share them.
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=10
MpiDefault=none
CONF
  # Slurm's PMIx keeps files of a job here, and the hosts of a laboratory share /tmp.
  echo "PMIxCliTmpDirBase=$LAB_FOLDER/local" > "$folder/mpi.conf"
  for host in $hosts; do
    echo "NodeName=$host NodeAddr=10.77.0.${host#"$LAB"} CPUs=$CPUS State=UNKNOWN" >> "$SLURM_CONF"
  done
  echo "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP" >> "$SLURM_CONF"
}

up() {
  local hosts host first tries idle
  hosts=$("$lab" hosts | cut -d' ' -f1 | xargs)
  first=${hosts%% *}
  install_packages
  if [ -e "$SLURM_CONF" ] && "$lab" in "$first" sinfo > /dev/null 2>&1; then return; fi
  down
  mkdir -p "$folder/state"
  for host in $hosts; do mkdir -p "$folder/spool-$host"; done
  write_configuration "$hosts"
  (umask 077 && head -c 1024 /dev/urandom > "$folder/munge.key")
  # It insists on folders that others cannot write to, which /tmp is not.
  "$lab" in "$first" munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
    --pid-file="$folder/munged.pid" --log-file="$folder/munged.log" \
    --seed-file="$folder/munged.seed" 2> /dev/null ||
    fail 2 "munged did not start: $(tail -1 "$folder/munged.log")"
  "$lab" in "$first" slurmctld -f "$SLURM_CONF" -c
  for host in $hosts; do "$lab" in "$host" slurmd -f "$SLURM_CONF"; done
  for ((tries = 0; tries < 100; tries++)); do
    idle=$("$lab" in "$first" sinfo -h -t idle -o %D 2> /dev/null || true)
    if [ "$idle" = "$(wc -w <<< "$hosts")" ]; then return; fi
    sleep 0.2
  done
  fail 2 "not every host became idle: $("$lab" in "$first" sinfo -N 2>&1 | xargs); see $folder."
}

# Ends what the pid files name, if it is what they say. A step that cannot reach the controller any
# more would hold its slurmd for ever.
down() {
  local file pid tries
  for file in "$folder"/*.pid; do
    pid=$(cat "$file" 2> /dev/null) || continue
    case $(cat "/proc/$pid/comm" 2> /dev/null) in
      slurmctld | slurmd | munged)
        kill "$pid"
        for ((tries = 0; tries < 200; tries++)); do
          kill -0 "$pid" 2> /dev/null || break
          sleep 0.05
        done
        kill -9 "$pid" 2> /dev/null || true
        ;;
    esac
  done
  rm -rf "$folder"
}

case ${1:-} in
  up) up ;;
  down) down ;;
  in)
    [ $# -gt 1 ] || fail 64 "give a command: cluster/slurm.sh in sinfo."
    [ -e "$SLURM_CONF" ] || fail 2 "Slurm does not run; start it: cluster/slurm.sh up."
    exec "$lab" in "$(sed -n 's/^SlurmctldHost=//p' "$SLURM_CONF")" "${@:2}"
    ;;
  -h | --help) sed -n '3,8s/^# *//p' "${BASH_SOURCE[0]}" ;;
  *) fail 64 "give up, in or down; --help explains them." ;;
esac
