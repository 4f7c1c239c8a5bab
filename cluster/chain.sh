#!/usr/bin/env bash
# Submits a batch script of Slurm several times: each job starts when the one before has ended, and
# continues its run. For clusters where a job may not requeue itself.
#
#   cluster/chain.sh 5 cluster/job.slurm pretrain run.yaml
#   SBATCH_TIMELIMIT=04:00:00 cluster/chain.sh 5 cluster/job.slurm pretrain run.yaml
#
# Prints the numbers of the jobs. When the run is done, or fails for good, the rest is cancelled.
set -euo pipefail

if [ $# -lt 3 ] || ! [[ $1 =~ ^[1-9][0-9]{0,3}$ ]]; then
  echo "usage: $0 JOBS SCRIPT COMMAND …, such as $0 5 cluster/job.slurm pretrain run.yaml" >&2
  exit 64
fi
command -v sbatch > /dev/null ||
  { echo "$0: sbatch is missing; run this where jobs of Slurm are submitted." >&2; exit 2; }

# Of the jobs of one user with one name, `singleton` lets Slurm run only one at a time. The name is
# that of this chain alone.
name=apus-$(date +%y%m%d-%H%M%S)-$$
for ((job = 1; job <= $1; job++)); do
  APUS_CHAIN=$name sbatch --parsable --job-name="$name" --dependency=singleton --no-requeue "${@:2}"
done
