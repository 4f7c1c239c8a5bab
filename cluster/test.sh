#!/usr/bin/env bash
# Tries what Apus promises about several machines, in the laboratory of cluster/lab.sh.
#
#   cluster/test.sh                      every scenario
#   SHORT=1 cluster/test.sh              fewer scenarios and trials: about a minute and a half
#   ONLY="kill cut" cluster/test.sh      some scenarios
#   KILLS=2000 cluster/test.sh           the long form of a scenario
#
# Prints a line for each scenario: ok, FAILED or SKIPPED, with the figures or the reason. Ends with
# 1 when one has failed; then, or with KEEP=1, it keeps the logs and prints their folder.
#
# The job is a GPT-2 of 2 layers. "Same bits" means that the weights, both moments of the optimizer,
# every logged loss and gradient norm, and every evaluation are equal to those of one rank that was
# never interrupted.
set -euo pipefail

cluster=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lab=$cluster/lab.sh
APUS=$(realpath "${APUS:-$cluster/../.build/debug/apus}")  # the program
# A command that starts the words after it (`pretrain ref.yaml …`) on the hosts of the list $HOSTS,
# in place of plain mpirun, and that continues the run after a fault: LAUNCHER='/path/to/apus launch
# --network 10.77.0.0/24 --ranks-per-host 1 --hosts $HOSTS'.
LAUNCHER=${LAUNCHER:-}
ONLY=${ONLY:-}
SEED=${SEED:-$RANDOM}       # of the moments and victims
short="kill phases cut resize terminate fill contract"
long="$short audit hosts levels syscalls crash daemons pause freeze storm"
if [ -n "${SHORT:-}" ]; then
  SCENARIOS=${ONLY:-$short}
  STEPS=${STEPS:-80} KILLS=${KILLS:-3} FAULTS=${FAULTS:-7} CUTS=${CUTS:-1}
  TERMINATIONS=${TERMINATIONS:-3} FLIPS=${FLIPS:-2} MINUTES=${MINUTES:-5}
else
  SCENARIOS=${ONLY:-$long}
  STEPS=${STEPS:-200} KILLS=${KILLS:-40} FAULTS=${FAULTS:-200} CUTS=${CUTS:-5}
  TERMINATIONS=${TERMINATIONS:-50} FLIPS=${FLIPS:-20} MINUTES=${MINUTES:-60}
fi
wide=(--set model.width=320 --set steps=20)  # the model of the scenario of two levels
EVERY=10 EVALUATE=20        # steps between two checkpoints, and between two evaluations
LIMIT=${LIMIT:-120}         # seconds after which a run that has not ended counts as hung

export LAB=${LAB:-test} OMP_NUM_THREADS=1
export LAB_FOLDER=${LAB_FOLDER:-/tmp/apus-$LAB}
RANDOM=$SEED

# --- Runs

# Ends the scenario with a sentence; code 1 means failed, and 77 skipped.
fail() { echo "$1"; exit 1; }
skip() { echo "$1"; exit 77; }

# launch RUN HOSTS [OPTION …]: starts the job in the background; `job` is its process.
launch() {
  local run=$1 hosts=$2 line=(pretrain "$work/ref.yaml" --set "run=$1" --threads 1 "${@:3}")
  cd "$work"
  echo "— $(date +%T.%N) $run on $hosts" >> "$logs/$run.log"
  if [ -n "$LAUNCHER" ]; then
    # A host that failed in another scenario is not to be avoided.
    # shellcheck disable=SC2086
    HOSTS=$hosts XDG_STATE_HOME=$work/$run.state "$lab" in "${hosts%%,*}" \
      bash -c "exec $LAUNCHER \"\$@\"" launcher "${line[@]}" >> "$logs/$run.log" 2>&1 &
  else
    "$lab" run -H "$hosts" "$APUS" "${line[@]}" >> "$logs/$run.log" 2>&1 &
  fi
  job=$!
}

# Waits for the end of the job; `code` is its exit code, and `took` the seconds since the call.
await() {
  local start=${EPOCHREALTIME/./} limit=${1:-$LIMIT} host
  while kill -0 "$job" 2> /dev/null; do
    if [ $((${EPOCHREALTIME/./} - start)) -gt $((limit * 1000000)) ]; then
      "$lab" ps > "$logs/hung.txt"
      for host in $("$lab" hosts | cut -d' ' -f1); do "$lab" crash "$host"; done
      fail "the job did not end within $limit s (processes: $logs/hung.txt)"
    fi
    sleep 0.05
  done
  code=0
  wait "$job" || code=$?
  took=$(awk "BEGIN { printf \"%.1f\", (${EPOCHREALTIME/./} - $start) / 1e6 }")
}

# The newest step in the metrics of a run, and that of its newest checkpoint; 0 when there is none.
step() {
  tail -1 "$work/$1/metrics.jsonl" 2> /dev/null | sed -nE 's/^\{"step":([0-9]+),.*/\1/p' |
    grep . || echo 0
}
checkpoint() {
  find "$work/$1/checkpoints" -maxdepth 1 2> /dev/null | sed -nE 's/.*\/step-0*([0-9]+)$/\1/p' |
    sort -n | tail -1 | grep . || echo 0
}

# await_step RUN STEP [WORDS]: waits until the run has logged the step, and printed the words.
await_step() {
  local deadline=$((SECONDS + LIMIT))
  until [ "$(step "$1")" -ge "$2" ] && grep -q "${3:-}" "$logs/$1.log"; do
    kill -0 "$job" 2> /dev/null || { await; fail "the job ended before step $2, with code $code"; }
    [ $SECONDS -lt $deadline ] || fail "step $2 was not reached within $LIMIT s"
    sleep 0.05
  done
}

# The larger of two numbers.
max() { printf '%s\n' "$@" | sort -g | tail -1; }

# The last error of a run.
said() { { grep '^apus: ' "$logs/$1.log" || echo "it said nothing"; } | tail -1; }

# Sleeps for a random time between two numbers of milliseconds.
nap() {
  local time=$(($1 + ($2 - $1) * RANDOM / 32768))
  sleep "$((time / 1000)).$(printf %03d $((time % 1000)))"
}

# The processes of the ranks, on all hosts or on one: host and process number.
ranks() {
  "$lab" ps | awk -v apus="$APUS" -v host="${1:-}" \
    '$3 == apus && $4 != "launch" && (!host || $1 == host) { print $1, $2 }'
}

# The process of a random rank.
random_rank() { ranks | shuf -n 1 --random-source=<(yes "$RANDOM") | cut -d' ' -f2; }

# Fails when a process of the job is left on the hosts, after up to 10 seconds.
no_orphans() {
  local tries left
  for ((tries = 0; tries < 100; tries++)); do
    left=$("$lab" ps | grep -vE ' sshd: | /usr/sbin/sshd ' || true)
    [ -n "$left" ] || return 0
    sleep 0.1
  done
  fail "10 s after the end these processes were left: $(cut -c1-100 <<< "$left" | xargs)"
}

# --- Same bits

# Prints both moments of the optimizer in the order of the parameters: the ranks hold ranges of
# them, in tensors such as m.65536-81920.
moments() {
  local file length name start size
  for file in "$1"/optimizer-*.safetensors; do
    length=$(od -An -tu8 -N8 "$file" | xargs)
    head -c $((8 + length)) "$file" | tail -c +9 |
      grep -oE '[a-z]+\.[0-9]+-[0-9]+":|"data_offsets":\[[0-9]+,[0-9]+' | paste - - |
      sed -E 's/([a-z]+)\.([0-9]+)-.*\[([0-9]+),([0-9]+)/\1 \2 \3 \4/' |
      awk -v file="$file" -v data=$((8 + length)) '{ print $1, $2, file, data + $3, $4 - $3 }'
  done | sort -k1,1 -k2,2n | while read -r name start file start size; do
    dd if="$file" iflag=skip_bytes,count_bytes skip="$start" count="$size" bs=1M status=none
  done
}

# Prints a hash of everything that has to be equal.
digest() {
  local folder fields='step|loss|learningRate|gradientNorm|tokens|tokensSeen|validationLoss|isBest'
  folder=$work/$1/checkpoints/step-$(printf %08d "$STEPS")
  {
    grep -oE "\"($fields)\":[^,}]*" "$work/$1/metrics.jsonl"
    cat "$folder/model.safetensors"
    moments "$folder"
  } | sha256sum | cut -d' ' -f1
}

same_bits() {
  [ "$(digest "$1")" = "$reference" ] || fail "$1 has other bits than the reference"
}

# finish RUN HOSTS: starts the job on the hosts until it is done.
finish() {
  launch "$1" "$2"
  await
  [ "$code" -eq 0 ] || fail "the job on $2 ended with $code: $(said "$1")"
}

# survive RUN HOSTS: after a fault, lets the run reach its end. A supervisor has done it already,
# with code 0; after plain mpirun has ended with another code, the job is started on these hosts.
survive() {
  if [ -n "$LAUNCHER" ]; then
    [ "$code" -eq 0 ] || fail "$1 was not continued, code $code: $(said "$1")"
  else
    [ "$code" -ne 0 ] || fail "$1 ended with 0 in spite of the fault"
    no_orphans
    finish "$1" "$2"
  fi
  no_orphans
  same_bits "$1"
}

# --- Scenarios

# h NUMBER …: prints the hosts of these numbers as a list for `launch`.
h() { printf '%s\n' "$@" | sed "s/^/$LAB/" | paste -sd,; }

# The same bits on 2, 3 and 4 hosts, uninterrupted; bytes on the wire against their bound.
scenario_hosts() {
  local hosts figures='' before after parameters
  parameters=$(sed -nE 's/^start .* ([0-9]+) trained parameters.*/\1/p' "$logs/one.log" | head -1)
  for hosts in "1 2" "1 2 3" "1 2 3 4"; do
    # shellcheck disable=SC2086
    set -- $hosts
    before=$("$lab" bytes)
    finish "hosts$#" "$(h "$@")"
    after=$("$lab" bytes)
    same_bits "hosts$#"
    # Each host has to send 2 (R - 1) / R of the gradients, in all-to-all and all-gather.
    figures+=", $# hosts $(paste -d' ' <(echo "$before") <(echo "$after") |
      awk -v n="$#" -v gradients=$((4 * parameters * STEPS)) '{
        sent = $5 - $2; if (sent > most) most = sent
      } END { printf "%.3f", most / (2 * (n - 1) / n * gradients) }')"
  done
  echo "same bits; bytes on the wire over the bound: ${figures#, }"
}

# Two ranks on each of 2 and 3 hosts: ranks of a host sum in its memory, and a host sends the bytes of
# one rank. A rank killed in an exchange leaves nothing in the memory of its host. Ranks that take
# turns over the hosts send messages instead, and say so. The model is larger than that of the other
# scenarios, whose gradient is too small for two levels.
scenario_levels() {
  local hosts figures='' before after parameters left
  STEPS=20
  cd "$work"
  "$APUS" pretrain ref.yaml "${wide[@]}" --set run=wide --threads 1 > "$logs/wide.log" 2>&1 ||
    fail "no run on a rank: $(said wide)"
  reference=$(digest wide)
  parameters=$(sed -nE 's/^start .* ([0-9]+) trained parameters.*/\1/p' "$logs/wide.log" | head -1)
  for hosts in "1 2" "1 2 3"; do
    # shellcheck disable=SC2086
    set -- $hosts
    before=$("$lab" bytes)
    pairs "levels$#" "$(h "$@")" --map-by ppr:2:node
    after=$("$lab" bytes)
    ! grep -q "in place of shared" "$logs/levels$#.log" || fail "memory was not shared"
    figures+=", $# hosts $(paste -d' ' <(echo "$before") <(echo "$after") |
      awk -v n="$#" -v gradients=$((4 * parameters * STEPS)) '{
        sent = $5 - $2; if (sent > most) most = sent
      } END { printf "%.3f", most / (2 * (n - 1) / n * gradients) }')"
  done

  export APUS_FAULT="kill@rank=3,step=$((EVERY + 5)),phase=exchange"
  launch_pairs killed "$(h 1 2)" --map-by ppr:2:node
  await
  unset APUS_FAULT
  [ "$code" -eq 137 ] || fail "a rank killed in an exchange led to exit code $code: $(said killed)"
  no_orphans
  left=$(for hosts in "${LAB}1" "${LAB}2"; do "$lab" in "$hosts" ls /dev/shm; done | grep apus || true)
  [ -z "$left" ] || fail "a killed rank left $left in /dev/shm"
  pairs killed "$(h 1 2)" --map-by ppr:2:node

  pairs scattered "$(h 1 2)" --map-by node
  # The log breaks its lines.
  tr -s '\n ' ' ' < "$logs/scattered.log" | grep -q "in place of shared memory.*--map-by slot" ||
    fail "ranks in turn over two hosts were not told why they send messages"
  echo "two ranks a host, same bits; bytes on the wire over the bound of hosts: ${figures#, }"
}

# pairs RUN HOSTS OPTION …: runs two ranks a host to the end, and compares the bits.
pairs() {
  launch_pairs "$@"
  await
  [ "$code" -eq 0 ] || fail "two ranks on each of $2 ended with $code: $(said "$1")"
  same_bits "$1"
}

# launch_pairs RUN HOSTS OPTION …: starts two ranks a host in the background, with options of mpirun.
launch_pairs() {
  cd "$work"
  "$lab" run -n $((2 * $(tr , ' ' <<< "$2" | wc -w))) -H "$2" -- --oversubscribe "${@:3}" "$APUS" \
    pretrain "$work/ref.yaml" "${wide[@]}" --set "run=$1" --threads 1 --oversubscribe \
    >> "$logs/$1.log" 2>&1 &
  job=$!
}

# kill -9 of a random rank at random moments of the start and of training.
scenario_kill() {
  local kills=0 runs=0 run victim most=0 lost
  while [ "$kills" -lt "$KILLS" ]; do
    run=kill$((runs++))
    while :; do
      launch "$run" "$(h 1 2)"
      if [ "$kills" -lt "$KILLS" ]; then
        nap 300 $((STEPS * 20))
        victim=$(random_rank)
        if [ -n "$victim" ] && kill -9 "$victim" 2> /dev/null; then
          kills=$((kills + 1))
          echo "$(date +%T.%N) killed $victim at step $(step "$run")" >> "$logs/$run.log"
        fi
      fi
      await
      no_orphans
      [ "$code" -ne 0 ] || break
      [ "$code" -ne 2 ] || fail "a killed rank led to exit code 2: $(said "$run")"
      lost=$(($(step "$run") - $(checkpoint "$run")))
      most=$((lost > most ? lost : most))
    done
    same_bits "$run"
    rm -rf "${work:?}/$run"
  done
  echo "$kills kills in $runs runs, same bits; at most $most steps lost"
}

# A rank is killed in each phase of a step and of a save, by a fault in the program (APUS_FAULT).
scenario_phases() {
  local phases=(forward exchange optimizer snapshot write publish evaluation) places=''
  local faults=0 runs=0 turn=0 run phase rank from step
  while [ "$faults" -lt "$FAULTS" ]; do
    run=phases$((runs++))
    while :; do
      unset APUS_FAULT
      if [ "$faults" -lt "$FAULTS" ]; then
        from=$(checkpoint "$run")
        phase=${phases[$((turn++ % ${#phases[@]}))]}
        rank=$((RANDOM % 2))
        case $phase in
          snapshot | write) step=$(((from / EVERY + 1) * EVERY)) ;;
          publish) step=$(((from / EVERY + 1) * EVERY)) rank=0 ;;
          evaluation) step=$(((from / EVALUATE + 1) * EVALUATE)) ;;
          *) step=$((from + 1 + RANDOM % EVERY)) ;;
        esac
        # A supervisor starts the same command again, which must not be killed again.
        export APUS_FAULT="kill@rank=$rank,step=$step,phase=$phase${LAUNCHER:+,attempt=1}"
      fi
      launch "$run" "$(h 1 2)"
      await
      no_orphans
      if [ "$code" -eq 0 ]; then
        if [ -n "$LAUNCHER" ]; then faults=$((faults + 1)) places+=" $phase"; fi
        break
      fi
      [ "$code" -eq 137 ] || fail "$APUS_FAULT led to exit code $code: $(said "$run")"
      faults=$((faults + 1))
      places+=" $phase"
    done
    same_bits "$run"
    rm -rf "${work:?}/$run"
  done
  echo "$faults kills in $runs runs, same bits ($(xargs -n1 <<< "$places" | sort | uniq -c |
    awk '{ printf("%s%s %s", (NR > 1 ? ", " : ""), $2, $1) }'))"
}

# A rank is killed at every call of the system that it makes in a save: of each kind the first, the
# second, and so on, until the save ends without reaching that number.
scenario_syscalls() {
  local calls='' call rank number trials=0 run=syscalls victim tracer
  STEPS=$((3 * EVERY))
  cd "$work"
  "$APUS" pretrain ref.yaml --set run=calm --set "steps=$STEPS" --threads 1 > "$logs/calm.log" 2>&1 ||
    fail "no run on a rank: $(said calm)"
  reference=$(digest calm)
  command -v strace > /dev/null || skip "strace is missing: apt-get install strace"
  for call in ${CALLS:-openat write pwrite64 writev lseek ftruncate fallocate fsync fdatasync sync_file_range \
    close rename renameat renameat2 link linkat mkdir mkdirat unlink unlinkat rmdir fchmod chmod \
    newfstatat fstat statx getdents64 fcntl flock}; do
    for rank in 0 1; do
      for ((number = 1; ; number++)); do
        rm -rf "${work:?}/$run"
        export APUS_FAULT="stop@rank=$rank,step=$((2 * EVERY)),phase=snapshot"
        launch $run "$(h 1 2)" --set "steps=$STEPS"
        victim=
        until [ -n "$victim" ] && grep -q '^State:.T' "/proc/$victim/status"; do
          kill -0 "$job" 2> /dev/null || { await; fail "the job ended with $code: $(said $run)"; }
          sleep 0.02
          victim=$(ranks "$LAB$((rank + 1))" | cut -d' ' -f2)
        done
        strace -f -qq -e "trace=$call" -e "inject=$call:signal=KILL:when=$number" -p "$victim" \
          -o "$logs/strace.log" &
        tracer=$!
        while grep -q '^TracerPid:.0$' /proc/"$victim"/task/*/status; do sleep 0.02; done
        kill -CONT "$victim"
        await
        unset APUS_FAULT
        wait $tracer || true
        [ "$code" -ne 0 ] || break
        trials=$((trials + 1))
        [ "$code" -eq 137 ] || fail "a kill at $call $number of rank $rank led to $code: $(said $run)"
        no_orphans
        [ "$(checkpoint $run)" -ge "$EVERY" ] || fail "$call $number of rank $rank: no checkpoint is left"
        launch $run "$(h 1 2)" --set "steps=$STEPS"
        await
        [ "$code" -eq 0 ] || fail "after $call $number of rank $rank: $(said $run)"
        ! grep -q "set aside" "$logs/$run.log" || fail "$call $number of rank $rank: $(said $run)"
        same_bits $run
      done
      [ "$number" -eq 1 ] || calls+=", $call $((number - 1)) of rank $rank"
    done
  done
  echo "$trials kills, each with a checkpoint to resume from and the same bits (${calls#, })"
}

# Bits are inverted on one of three hosts: in its gradients from some step on, which an audit finds,
# or once in its weights. The host is named, and the run continues without it.
scenario_audit() {
  local trial run host step at every=5 gradients=0 most=0 found others
  for ((trial = 0; trial < FLIPS; trial++)); do
    run=audit$trial host=$((1 + RANDOM % 3)) step=$((EVERY + 1 + RANDOM % (STEPS / 2)))
    if [ $((trial % 2)) -eq 0 ]; then
      APUS_FAULT=
      for ((at = step; at < step + every; at++)); do
        APUS_FAULT+="flip=$RANDOM:$((RANDOM % 23))@phase=backward,times=1000000,"
        APUS_FAULT+="rank=$((host - 1)),step=$at${LAUNCHER:+,attempt=1};"
      done
    else
      APUS_FAULT="flip=$RANDOM:$((RANDOM % 32))@phase=optimizer,rank=$((host - 1)),"
      APUS_FAULT+="step=$step${LAUNCHER:+,attempt=1}"
    fi
    export APUS_FAULT
    launch "$run" "$(h 1 2 3)" --set "audit.every=$every"
    await
    unset APUS_FAULT
    found=$(sed -nE "s/^apus: rank $((host - 1)) on ${LAB}$host computed .* step ([0-9]+).*/\1/p" \
      "$logs/$run.log" | head -1)
    [ -n "$found" ] || fail "$run: host $host was not named: $(said "$run")"
    [ "$((found - step))" -lt "$every" ] || fail "$run: a bit of step $step was found in $found"
    most=$(max "$most" $((found - step)))
    [ -n "$LAUNCHER" ] || [ "$code" -eq 75 ] || fail "$run ended with $code: $(said "$run")"
    others=$(printf '%s\n' 1 2 3 | grep -v "$host" | xargs)
    # shellcheck disable=SC2086
    survive "$run" "$(h $others)"
    rm -rf "${work:?}/$run"
  done
  echo "$FLIPS hosts with wrong bits were named within $most steps of the first, same bits without them"
}

# One of three hosts loses its network; the others go on without it.
scenario_cut() {
  local trial run slowest=0
  for ((trial = 0; trial < CUTS; trial++)); do
    run=cut$trial
    launch "$run" "$(h 1 2 3)"
    await_step "$run" $((EVERY + 3 + RANDOM % (STEPS / 2)))
    "$lab" cut "${LAB}3"
    await 60
    slowest=$(max "$took" "$slowest")
    survive "$run" "$(h 1 2)"
    "$lab" heal "${LAB}3"
  done
  [ -n "$LAUNCHER" ] || [ "$(max "$slowest" 15)" = 15 ] ||
    fail "a cut was noticed only after $slowest s"
  echo "$CUTS cuts, ended within $slowest s, same bits on the other two hosts"
}

# A host stops without a word, as at a power failure.
scenario_crash() {
  local at
  launch crash "$(h 1 2 3)"
  await_step crash $((EVERY + 7))
  "$lab" cut "${LAB}2"
  "$lab" crash "${LAB}2"
  await 60
  at=$took
  survive crash "$(h 1 3)"
  "$lab" heal "${LAB}2"
  echo "ended within $at s, same bits on the other two hosts"
}

# mpirun, or the daemon of another host, is killed: nothing may be left, and the next start works.
scenario_daemons() {
  local victim name
  for name in mpirun orted; do
    launch "$name" "$(h 1 2)"
    await_step "$name" $((EVERY + 3))
    victim=$("$lab" ps | awk -v name="$name" '$3 ~ "(^|/)" name "$" && !n++ { print $2 }')
    [ -n "$victim" ] || fail "there is no process $name"
    kill -9 "$victim"
    await 60
    survive "$name" "$(h 1 2)"
  done
  echo "no orphan after 10 s, same bits"
}

# 4 → 2 → 3 → 1 → 4 hosts within an epoch, stopped by a signal each time.
scenario_resize() {
  local leg=0 hosts
  for hosts in "1 2 3 4" "2 4" "1 2 3" "3" "1 2 3 4"; do
    leg=$((leg + 1))
    # shellcheck disable=SC2086
    launch resize "$(h $hosts)"
    if [ "$leg" -lt 5 ]; then
      await_step resize $((STEPS * leg / 5 + RANDOM % 5))
      stop_job
      await
      [ "$code" -eq 75 ] || fail "the stop on hosts $hosts ended with $code"
      [ "$(step resize)" -eq "$(checkpoint resize)" ] ||
        fail "step $(step resize) was reached, but the checkpoint is of $(checkpoint resize)"
    else
      await
      [ "$code" -eq 0 ] || fail "the job on hosts $hosts ended with $code"
    fi
  done
  same_bits resize
  echo "4, 2, 3, 1 and 4 hosts, same bits"
}

# Asks the job to save and stop. A supervisor takes SIGTERM; mpirun forwards SIGUSR2 to its ranks.
stop_job() {
  if [ -n "$LAUNCHER" ]; then kill -TERM "$job"; else kill -USR2 "$job"; fi
}

# Requests to stop, at random moments: to mpirun, to one rank, and to all ranks. Each leads to a
# checkpoint of the current step and to code 75.
scenario_terminate() {
  local trial way run=terminate slowest=0 requests=0 life
  for ((trial = 0; trial < TERMINATIONS; trial++)); do
    way=$((trial % 3))
    launch $run "$(h 1 2)"
    life=$(checkpoint $run)
    await_step $run $((life + 1))
    nap 0 700
    case $way in
      0) stop_job ;;
      1) kill -TERM "$(random_rank)" || true ;;
      2) ranks | cut -d' ' -f2 | xargs -r kill -TERM || true ;;
    esac
    await 30
    no_orphans
    slowest=$(max "$took" "$slowest")
    if [ "$code" -eq 0 ]; then
      same_bits $run
      rm -rf "${work:?}/$run"
      continue
    fi
    requests=$((requests + 1))
    [ "$code" -eq 75 ] || fail "request $trial (way $way) ended with $code"
    [ "$(step $run)" -eq "$(checkpoint $run)" ] ||
      fail "step $(step $run) was reached, but the checkpoint is of $(checkpoint $run)"
  done
  finish $run "$(h 1 2)"
  same_bits $run
  echo "$requests requests led to a checkpoint of the current step within $slowest s, same bits"
}

# The shared disk is full: for a while, training goes on; if it stays full, the run ends with 5.
scenario_fill() {
  local kept first
  launch fill "$(h 1 2)"
  await_step fill $((EVERY * 2 + 3))
  "$lab" fill
  await_step fill $((EVERY * 2 + 3)) "cannot be saved"
  "$lab" fill off
  await
  [ "$code" -eq 0 ] || fail "a disk that was full for a while led to $code: $(said fill)"
  same_bits fill
  launch full "$(h 1 2)"
  await_step full $((EVERY * 2 + 3))
  kept=$(checkpoint full)
  "$lab" fill
  await
  "$lab" fill off
  first="code $code, $(said full)"
  [ "$(checkpoint full)" -ge "$kept" ] || fail "checkpoint $kept was lost on the full disk"
  [ "$code" -eq 5 ] || fail "a full disk led to $first"
  finish full "$(h 1 2)"
  same_bits full
  echo "training continues, and ends with 5 when the disk stays full; same bits"
}

# A rank that stands still for 5 seconds is waited for.
scenario_pause() {
  local victim
  launch pause "$(h 1 2)"
  await_step pause $((EVERY + 3))
  victim=$(ranks "${LAB}2" | cut -d' ' -f2)
  kill -STOP "$victim"
  sleep 5
  kill -CONT "$victim"
  await
  [ "$code" -eq 0 ] || fail "a pause of 5 s led to $code"
  same_bits pause
  echo "a rank paused for 5 s, same bits"
}

# A rank that stands still for ever is named, and nothing is left of the job.
scenario_freeze() {
  launch freeze "$(h 1 2)"
  await_step freeze $((EVERY + 3))
  kill -STOP "$(ranks "${LAB}2" | cut -d' ' -f2)"
  await 90
  grep -qE "rank 1 .*${LAB}2" "$logs/freeze.log" || fail "the frozen rank was not named"
  local after=$took
  survive freeze "$(h 1 2)"
  echo "named, and ended after $after s, same bits"
}

# Random faults with a mean of 60 seconds between them, for about an hour, on four hosts. A
# micro-batch takes a quarter of a second longer than its computation, as if the model were larger.
# The run has to end by itself, with 80 % of the time useful by the supervisor's report.
scenario_storm() {
  local kinds=(kill stop freeze cut crash daemon fill) kind host faults='' useful
  [ -n "$LAUNCHER" ] || skip "it needs a supervisor: LAUNCHER"
  cd "$work"
  STEPS=$((MINUTES * 60 * 4 * 8 / 10))
  "$APUS" pretrain ref.yaml --set run=calm --set "steps=$STEPS" --threads 1 > "$logs/calm.log" 2>&1 ||
    fail "no run on a rank: $(said calm)"
  reference=$(digest calm)
  export APUS_FAULT="delay=0.25@phase=forward,times=1000000000"
  launch storm "$(h 1 2 3 4)" --set "steps=$STEPS"
  while :; do
    # Exponential, so that faults also come together.
    sleep "$(awk "BEGIN { print -60 * log((1 + $RANDOM) / 32769) }")"
    kill -0 "$job" 2> /dev/null || break
    # Host 1 has the supervisor, whose own end is another scenario.
    kind=${kinds[$((RANDOM % ${#kinds[@]}))]} host=$LAB$((2 + RANDOM % 3))
    faults+=" $kind"
    echo "$(date +%T) $kind $host at step $(step storm)" >> "$logs/storm.faults"
    case $kind in
      kill) kill -9 "$(random_rank)" ;;
      stop) random_rank | { read -r rank && kill -STOP "$rank" && sleep 5 && kill -CONT "$rank"; } ;;
      freeze) kill -STOP "$(random_rank)" ;;
      cut) "$lab" cut "$host" && sleep 30 && "$lab" heal "$host" ;;
      crash) "$lab" cut "$host" && "$lab" crash "$host" && sleep 30 && "$lab" heal "$host" ;;
      daemon)
        "$lab" ps | awk -v host="$host" '$1 == host && $3 ~ /orted$/ { print $2 }' |
          xargs -r kill -9
        ;;
      fill) "$lab" fill && sleep 5 && "$lab" fill off ;;
    esac || true
  done
  await
  unset APUS_FAULT
  [ "$code" -eq 0 ] || fail "it ended with $code after$faults: $(said storm)"
  no_orphans
  same_bits storm
  useful=$(grep -E '^apus: [0-9]+ attempts?, ' "$logs/storm.log" |
    sed -nE 's/.* useful [^(]*\(([0-9]+) %\).*/\1/p' | tail -1)
  [ "${useful:-0}" -ge 80 ] || fail "only $useful % of the time was useful with$faults"
  echo "$(wc -w <<< "$faults") faults ($(xargs -n1 <<< "$faults" | sort | uniq -c |
    awk '{ printf("%s%s %s", (NR > 1 ? ", " : ""), $2, $1) }')), same bits, $useful % of the time useful"
}

# One host differs: the start is refused with code 2 within 20 s, and the host is named.
scenario_contract() {
  local defect figures=''
  for defect in kernels threads configuration folder; do
    write_program 1 "" "--set run=$defect"
    case $defect in
      kernels) write_program 2 "OPENBLAS_CORETYPE=Nehalem" "--set run=$defect" ;;
      threads) write_program 2 "" "--set run=$defect --threads 2" ;;
      configuration) write_program 2 "" "--set run=$defect --set optimizer.learningRate=0.5" ;;
      folder)
        write_program 1 "" "--set run=$LAB_FOLDER/local/run"
        write_program 2 "" "--set run=$LAB_FOLDER/local/run"
        ;;
    esac
    cd "$work"
    "$lab" run -H "$(h 1 2)" "$LAB_FOLDER/local/apus" pretrain "$work/ref.yaml" --threads 1 \
      --oversubscribe > "$logs/$defect.log" 2>&1 &
    job=$!
    await 30
    [ "$code" -eq 2 ] || fail "$defect: code $code instead of 2: $(said "$defect")"
    grep -q "^apus: .*${LAB}2" "$logs/$defect.log" ||
      fail "$defect: the host was not named: $(said "$defect")"
    no_orphans
    figures+=", $defect $took s"
  done
  echo "refused with code 2, naming the host: ${figures#, }"
}

# write_program HOST VARIABLES OPTIONS: makes LAB_FOLDER/local/apus, which is another file on each
# host, run the program with further variables and options.
write_program() {
  printf '#!/bin/sh\n%s exec %s "$@" %s\n' "$2" "$APUS" "$3" > "$LAB_FOLDER/program"
  "$lab" in "$LAB$1" install -m 755 "$LAB_FOLDER/program" "$LAB_FOLDER/local/apus"
}

# --- All

# try NAME: runs a scenario in a process of its own, and prints its line.
try() {
  local name=$1 start=$SECONDS code=0 detail host
  # In the background, so that a signal to this script is not kept waiting.
  ("scenario_$name") > "$logs/$name.out" 2> "$logs/$name.err" &
  scenario=$!
  wait $scenario || code=$?
  scenario=
  detail=$(cat "$logs/$name.out")
  detail=${detail:-$(tail -1 "$logs/$name.err")}
  case $code in
    0) echo "ok $name: $detail ($((SECONDS - start)) s)" ;;
    77) echo "SKIPPED $name: $detail" ;;
    *)
      echo "FAILED $name: $detail ($((SECONDS - start)) s, SEED=$SEED)"
      failed=yes
      for host in $("$lab" hosts | cut -d' ' -f1); do
        "$lab" crash "$host"
        "$lab" heal "$host"
      done
      "$lab" fill off
      ;;
  esac
}

if ! reason=$("$lab" probe 2>&1); then
  echo "SKIPPED test-cluster: every scenario, because ${reason#cluster/lab.sh: }"
  exit 0
fi
[ -x "$APUS" ] || {
  echo "cluster/test.sh: $APUS is no program; build it with swift build." >&2
  exit 2
}

failed='' scenario=''
finally() {
  local code=$? kept
  trap - EXIT
  if [ -n "$scenario" ]; then kill "$scenario" 2> /dev/null || true; fi
  if [ -n "$failed" ] || [ "$code" -ne 0 ] || [ -n "${KEEP:-}" ]; then
    kept=$(mktemp -d /tmp/apus-logs.XXXXXX)
    cp "$logs"/* "$kept" 2> /dev/null || true
    echo "The logs are in $kept."
  fi
  "$lab" down
  exit "$code"
}
trap finally EXIT
trap 'exit 130' INT TERM

"$lab" down
"$lab" up 4
work=$LAB_FOLDER/shared  # a disk that a scenario fills, so the logs are elsewhere
logs=$LAB_FOLDER/logs
mkdir -p "$logs"
cat > "$work/ref.yaml" <<YAML
run: run
model: { family: gpt2, layers: 2, heads: 4, width: 64, context: 64, dropout: 0.1 }
tokenizer: bytes
data: { train: $work/stories.jsonl, validation: 0.05 }
batch: { microBatches: 4, sequences: 4 }
steps: $STEPS
schedule: { warmup: 20 }
checkpoint: { every: $EVERY, keep: 2 }
evaluate: { every: $EVALUATE }
log: { every: 1 }
YAML
cd "$work"
"$APUS" data aviary write --kind stories --small --count 600 --output stories.jsonl > /dev/null
start=$SECONDS
"$APUS" pretrain ref.yaml --set run=one --threads 1 > "$logs/one.log" 2>&1 ||
  { failed=yes && echo "FAILED reference: no run on a rank: $(tail -1 "$logs/one.log")" && exit 1; }
reference=$(digest one)
echo "ok reference: $STEPS steps on one rank, ${reference:0:16} ($((SECONDS - start)) s)"

for name in $SCENARIOS; do try "$name"; done
for name in $long; do
  if [ -z "$ONLY" ] && [[ " $SCENARIOS " != *" $name "* ]]; then
    echo "SKIPPED $name: only without SHORT=1"
  fi
done
[ -z "$failed" ]
