#!/usr/bin/env bash
# A laboratory: N hosts on one Linux machine, for trials of launch, failure and recovery.
#
#   cluster/lab.sh up N             starts the hosts lab1 … labN, or changes their number to N
#   cluster/lab.sh run [-n RANKS] [-H lab1,lab3] [-x VARIABLE] COMMAND …
#                                   mpirun over the hosts, started on the first of them
#   cluster/lab.sh in HOST COMMAND … runs a command on one host
#   cluster/lab.sh cut HOST         takes the host off the network
#   cluster/lab.sh heal HOST        brings it back, also after a crash
#   cluster/lab.sh crash HOST       kills every process of the host at once, as a power failure does
#   cluster/lab.sh slow HOST RATE   limits its network in both directions (1gbit, 20mbit, … or off)
#   cluster/lab.sh fill [FREE]      leaves FREE (such as 1M; nothing by default) on the shared disk
#   cluster/lab.sh fill off         gives the disk its size back
#   cluster/lab.sh ps               prints a line for each process: host, process number, command
#   cluster/lab.sh bytes            prints a line for each host: name, bytes sent, bytes received
#   cluster/lab.sh hosts            prints a hostfile for mpirun
#   cluster/lab.sh probe            ends with 0 where a laboratory is possible, or says why not
#   cluster/lab.sh down             ends the hosts, with every process on them
#
# Variables of `up`:
#   SLOTS=1      ranks per host
#   DISK=1G      size of the disk that all hosts share, in memory
#   SHM=50%      size of each host's /dev/shm
#   SSHD=yes     real ssh between the hosts (needs openssh-server), instead of a stand-in
# Variables of every verb:
#   LAB=lab      the name of the laboratory and of its hosts; another name is another laboratory
#   LAB_FOLDER=/tmp/apus-$LAB
#
# LAB_FOLDER/shared is the disk that all hosts share, and LAB_FOLDER/local is another folder on each
# host. All other files are those of the machine.
#
# Each host has its own network, host name, mounts (/dev/shm, /etc/hosts) and System V memory: a
# namespace of each kind, held by a process that sleeps. A further network namespace has the bridge
# between the hosts. Nothing is added to the machine's network, so no packet can leave the
# laboratory, and it cannot collide with another. The hosts share the machine's cores, its
# process numbers and its clock.
#
# Exit codes: 64 for a wrong command, 69 where a laboratory is impossible, 2 for other errors. `run`
# and `in` end with the exit code of the command.
set -euo pipefail

LAB=${LAB:-lab}
LAB_FOLDER=${LAB_FOLDER:-/tmp/apus-$LAB}
NETWORK=10.77.0.0/24
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Prints a sentence, and ends with the exit code.
fail() {
  echo "cluster/lab.sh: $2" >&2
  exit "$1"
}

usage() {
  sed -n -E 's/^# {3}(cluster.*|  +[a-z].*)$/\1/p' "${BASH_SOURCE[0]}"
  sed -n '/^# Variables of `up`/,/^#$/s/^#  *//p' "${BASH_SOURCE[0]}"
}

# Prints the process that holds the namespaces of a host (or of the switch); fails without one.
#
# The file `net` of the host is a mount of its network namespace. It keeps the namespace's number
# from being given to another, even when the holder was killed, so that no foreign process is ever
# taken for one of the laboratory.
holder() {
  local pid
  pid=$(cat "$LAB_FOLDER/hosts/$1/pid" 2> /dev/null) || return 1
  [ "/proc/$pid/ns/net" -ef "$LAB_FOLDER/hosts/$1/net" ] && echo "$pid"
}

# Prints the holder of a host that the user has named, or ends with a sentence.
need_host() {
  [ -n "${1:-}" ] || fail 64 "name a host, such as ${LAB}1."
  [ "$1" != switch ] && holder "$1" && return
  [ -n "$(names)" ] || fail 2 "there is no laboratory $LAB; start one: cluster/lab.sh up 3."
  fail 2 "there is no host $1 in laboratory $LAB; its hosts are: $(names | xargs)."
}

# Prints the names of the hosts in their order.
names() {
  local number
  for number in {1..250}; do
    if [ -d "$LAB_FOLDER/hosts/$LAB$number" ]; then echo "$LAB$number"; fi
  done
}

# Prints the processes of a host, except the holder of its namespaces.
processes() {
  local host=$1 keep net
  keep=$(cat "$LAB_FOLDER/hosts/$host/pid")
  net=$(stat -Lc %i "$LAB_FOLDER/hosts/$host/net")
  [ "$(stat -fLc %T "$LAB_FOLDER/hosts/$host/net")" = nsfs ] || return 0
  find /proc/[0-9]*/ns/net -maxdepth 0 -lname "net:\[$net\]" 2> /dev/null | cut -d/ -f3 |
    grep -vx "$keep" || true
}

# Kills the processes of a host until no new one appears.
kill_processes() {
  local pids
  while pids=$(processes "$1") && [ -n "$pids" ]; do
    # A process may end before it is killed.
    # shellcheck disable=SC2086
    kill -9 $pids 2> /dev/null || true
    sleep 0.02
  done
}

# Ends with a sentence where the hosts cannot be made.
probe() {
  local command reason
  [ "$(uname)" = Linux ] || fail 69 "a laboratory needs Linux."
  for command in unshare nsenter ip tc mount; do
    command -v "$command" > /dev/null ||
      fail 69 "$command is missing; install the packages util-linux, mount and iproute2."
  done
  [ "$(id -u)" -eq 0 ] ||
    fail 69 "a laboratory needs root, because it makes network namespaces; run it with sudo or in \
a container with --privileged."
  reason=$(unshare --net --uts --ipc --mount bash -ec '
    mount -t tmpfs tmpfs /dev/shm
    ip link add switch type bridge
    ip link add port master switch type veth peer name eth0' 2>&1) ||
    fail 69 "this system does not allow network namespaces with a bridge (${reason##*$'\n'}); in a \
container, start it with --privileged."
}

# Starts a process that sleeps in new namespaces of the kinds given, and records it under a name.
hold() {
  local name=$1 folder=$LAB_FOLDER/hosts/$1 pid
  mkdir -p "$folder/local"
  setsid unshare "${@:2}" sleep infinity < /dev/null > /dev/null 2>&1 &
  pid=$!
  # Its namespaces are ready when it has become `sleep`.
  until [ "$(cat "/proc/$pid/comm" 2> /dev/null)" = sleep ]; do
    kill -0 "$pid" 2> /dev/null || fail 2 "the namespaces of $name were not made."
    sleep 0.01
  done
  touch "$folder/net"
  mount --bind "/proc/$pid/ns/net" "$folder/net"
  echo "$pid" > "$folder/pid"
}

# Runs a command in the network of the switch.
on_switch() {
  nsenter --target "$(holder switch)" --net "$@"
}

# Ends a host (or the switch), and removes what is recorded of it.
remove() {
  local folder=$LAB_FOLDER/hosts/$1
  if mountpoint -q "$folder/net"; then
    kill_processes "$1"
    kill -9 "$(holder "$1")" 2> /dev/null || true
    if [ "$1" != switch ]; then on_switch ip link delete "$1" 2> /dev/null || true; fi
    umount "$folder/net"
  fi
  rm -rf --one-file-system "$folder"
}

add_host() {
  local name=$1 address=$2 pid
  hold "$name" --net --uts --ipc --mount
  pid=$(holder "$name")
  on_switch ip link add "$name" master switch type veth peer name eth0 netns "$pid"
  on_switch ip link set "$name" up
  # shellcheck disable=SC2016
  nsenter --target "$pid" --all bash -ec '
    hostname "$1"
    ip link set lo up
    ip address add "$2/24" dev eth0
    ip link set eth0 up
    mount -t tmpfs -o "size=$4,mode=1777" tmpfs /dev/shm
    mount --bind "$3/etc-hosts" /etc/hosts
    mount --bind "$3/hosts/$1/local" "$3/local"' \
    host "$name" "$address" "$LAB_FOLDER" "${SHM:-50%}" ||
    { remove "$name"; fail 2 "host $name was not set up; see the line above."; }
  start_sshd "$name"
}

# Starts sshd on a host of a laboratory with SSHD=yes, unless it runs; a crash has ended it.
start_sshd() {
  local folder=$LAB_FOLDER/hosts/$1
  if [ -e "$LAB_FOLDER/sshd_config" ] &&
    ! processes "$1" | grep -qxf "$folder/sshd.pid" 2> /dev/null; then
    (in_host "$1" /usr/sbin/sshd -f "$LAB_FOLDER/sshd_config" -E "$folder/sshd.log" \
      -o PidFile="$folder/sshd.pid")
  fi
}

# Writes LAB_FOLDER/bin/ssh, which the hosts find first in PATH.
write_ssh() {
  local folder=$LAB_FOLDER
  mkdir -p "$folder/bin"
  if [ "${SSHD:-}" = yes ]; then
    [ -x /usr/sbin/sshd ] ||
      fail 69 "SSHD=yes needs sshd; install openssh-server, or use the stand-in."
    mkdir -p /run/sshd
    [ -e "$folder/key" ] || ssh-keygen -q -t ed25519 -N '' -f "$folder/key"
    printf '%s\n' > "$folder/sshd_config" "HostKey $folder/key" \
      "AuthorizedKeysFile $folder/key.pub" "StrictModes no" "UsePAM no" \
      "PermitRootLogin prohibit-password" "AuthenticationMethods publickey"
    printf '#!/bin/sh\nexec /usr/bin/ssh %s "$@"\n' > "$folder/bin/ssh" \
      "-i $folder/key -o BatchMode=yes -o StrictHostKeyChecking=no -o LogLevel=ERROR \
-o UserKnownHostsFile=/dev/null -o ConnectTimeout=10"
  else
    rm -f "$folder/sshd_config"
    printf '#!/bin/sh\nLAB=%s LAB_FOLDER=%q exec %q ssh "$@"\n' > "$folder/bin/ssh" \
      "$LAB" "$folder" "$here/lab.sh"
  fi
  chmod +x "$folder/bin/ssh"
}

up() {
  local count=${1:-} number name
  [[ $count =~ ^[1-9][0-9]{0,2}$ && $count -le 250 ]] ||
    fail 64 "give the number of hosts, from 1 to 250: cluster/lab.sh up 3."
  [[ ${SLOTS:-1} =~ ^[1-9][0-9]{0,3}$ ]] || fail 64 "SLOTS=$SLOTS must be a number from 1."
  probe
  if [ -e "$LAB_FOLDER" ] && ! { [ -O "$LAB_FOLDER" ] && [ -d "$LAB_FOLDER/hosts" ]; }; then
    fail 2 "$LAB_FOLDER is not the folder of a laboratory; give another in LAB_FOLDER."
  fi
  mkdir -p "$LAB_FOLDER"/{hosts,shared,local}
  mountpoint -q "$LAB_FOLDER/shared" ||
    mount -t tmpfs -o "size=${DISK:-1G}" tmpfs "$LAB_FOLDER/shared" ||
    fail 2 "DISK=${DISK:-1G} is no size of a disk; write it like 64M or 2G."
  echo "${DISK:-1G}" > "$LAB_FOLDER/disk"
  write_ssh

  # The hosts mount this file as /etc/hosts: its content changes, the file stays.
  echo "127.0.0.1 localhost" > "$LAB_FOLDER/etc-hosts"
  : > "$LAB_FOLDER/hostfile"
  for ((number = 1; number <= count; number++)); do
    echo "10.77.0.$number $LAB$number" >> "$LAB_FOLDER/etc-hosts"
    echo "$LAB$number slots=${SLOTS:-1}" >> "$LAB_FOLDER/hostfile"
  done

  if ! holder switch > /dev/null; then
    # Without the switch, hosts of an earlier laboratory are of no use.
    for name in $(names) switch; do remove "$name"; done
    hold switch --net
    on_switch ip link add switch type bridge forward_delay 0
    on_switch ip link set switch up
  fi
  for name in $(names); do
    if [ "${name#"$LAB"}" -gt "$count" ] || ! holder "$name" > /dev/null; then remove "$name"; fi
  done
  for ((number = 1; number <= count; number++)); do
    holder "$LAB$number" > /dev/null || add_host "$LAB$number" "10.77.0.$number"
  done
}

down() {
  local name
  [ -d "$LAB_FOLDER/hosts" ] || return 0
  for name in $(names) switch; do remove "$name"; done
  # A shell whose working folder is on the disk must not keep it.
  if mountpoint -q "$LAB_FOLDER/shared"; then umount --lazy "$LAB_FOLDER/shared"; fi
  rm -rf --one-file-system "$LAB_FOLDER"
}

# Replaces this process by a command on a host; so a signal reaches the command itself.
in_host() {
  local pid
  pid=$(need_host "${1:-}")
  [ $# -gt 1 ] || fail 64 "give a command: cluster/lab.sh in $1 hostname."
  # HOSTFILE and NETWORK are those of cluster/pretrain.sh. The namespace has other mounts, so the
  # working folder is looked up again by its path.
  exec nsenter --target "$pid" --net --uts --ipc --mount env --chdir "$PWD" \
    HOSTNAME="$1" TMPDIR="$LAB_FOLDER/local" PATH="$LAB_FOLDER/bin:${PATH#"$LAB_FOLDER/bin:"}" \
    HOSTFILE="$LAB_FOLDER/hostfile" NETWORK="$NETWORK" "${@:2}"
}

# The stand-in for ssh: ssh [OPTION …] HOST COMMAND …. As with ssh, the environment is not passed
# on, the command begins in the home folder, and its words are put together for a shell.
ssh_to_host() {
  local option host name
  local options=1246AaCfGgKkMNnqsTtVvXxYyb:c:D:E:e:F:I:i:J:L:l:m:O:o:p:Q:R:S:W:w:
  while getopts ":$options" option; do :; done
  shift $((OPTIND - 1))
  host=${1#*@}
  shift
  for name in "$host" "$(hostname)"; do
    if [ -e "$LAB_FOLDER/hosts/$name/cut" ]; then
      echo "ssh: connect to host $host port 22: No route to host" >&2
      exit 255
    fi
  done
  holder "$host" > /dev/null || {
    echo "ssh: Could not resolve hostname $host: Name or service not known" >&2
    exit 255
  }
  cd "$HOME"
  in_host "$host" env -i HOME="$HOME" USER="${USER:-root}" LOGNAME="${USER:-root}" SHELL=/bin/bash \
    PATH="$LAB_FOLDER/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    TMPDIR="$LAB_FOLDER/local" /bin/bash -c "$*"
}

run() {
  local option ranks='' chosen='' variables=() hosts slots first line
  OPTIND=1
  while getopts :n:H:x: option; do
    case $option in
      n) ranks=$OPTARG ;;
      H) chosen=${OPTARG//,/ } ;;
      x) variables+=(-x "$OPTARG") ;;
      *) fail 64 "run has no option -$OPTARG; it has -n RANKS, -H HOSTS and -x VARIABLE." ;;
    esac
  done
  shift $((OPTIND - 1))
  [ $# -gt 0 ] || fail 64 "give a command: cluster/lab.sh run apus pretrain run.yaml."
  hosts=${chosen:-$(names | xargs)}
  first=${hosts%% *}
  for option in ${hosts:-${LAB}1}; do need_host "$option" > /dev/null; done
  slots=$(awk -F 'slots=' 'NR == 1 { print $2 }' "$LAB_FOLDER/hostfile")

  # Ssh does not pass variables on. Those that decide about kernels and faults are for all ranks.
  for option in ${!APUS_@} ${!OPENBLAS_@} ${!ONEDNN_@} ${!DNNL_@} ${!OMP_@}; do
    variables+=(-x "$option")
  done

  # The options are those of cluster/pretrain.sh, where their reasons are. But the hosts share the
  # machine's cores, so ranks are not bound to them, and a rank that waits yields its core. After a
  # failure mpirun waits for several times the timeout, 4 s by default, before it ends.
  line=(mpirun -np "${ranks:-$(($(wc -w <<< "$hosts") * slots))}"
    -H "$(sed -E "s/[^ ]+/&:$slots/g; s/ /,/g" <<< "$hosts")"
    --bind-to none --mca mpi_yield_when_idle 1
    --mca btl_tcp_if_include "$NETWORK" --mca oob_tcp_if_include "$NETWORK"
    --mca plm_rsh_no_tree_spawn 1 --mca oob_tcp_keepalive_time 2
    --mca oob_tcp_keepalive_intvl 1 --mca oob_tcp_keepalive_probes 3
    --mca odls_base_sigkill_timeout 0
    --allow-run-as-root ${variables[@]+"${variables[@]}"} "$@")
  in_host "$first" "${line[@]}" < /dev/null
}

cut_host() {
  local pid
  pid=$(need_host "${1:-}")
  on_switch ip link set "$1" down
  touch "$LAB_FOLDER/hosts/$1/cut"
}

heal_host() {
  local pid name
  pid=$(need_host "${1:-}")
  rm -f "$LAB_FOLDER/hosts/$1/cut"
  on_switch ip link set "$1" up
  # A host that has asked in vain for the address of another fails connections to it for some
  # seconds after the link is back; Open MPI does not try them again, and its start hangs.
  for name in $(names); do
    nsenter --target "$(holder "$name")" --net ip neighbour flush dev eth0
  done
  start_sshd "$1"
}

slow_host() {
  local pid rate=${2:-}
  pid=$(need_host "${1:-}")
  [ -n "$rate" ] || fail 64 "give a rate, such as 20mbit, or off: cluster/lab.sh slow $1 20mbit."
  if [ "$rate" = off ]; then
    on_switch tc qdisc delete dev "$1" root 2> /dev/null || true
    nsenter --target "$pid" --net tc qdisc delete dev eth0 root 2> /dev/null || true
    return
  fi
  # The port of the switch sends to the host, and the host's own interface sends from it. A packet
  # of up to 64 KiB (TCP segmentation offload) must fit into a burst.
  local filter=(root tbf rate "$rate" burst 256kb latency 200ms)
  if ! on_switch tc qdisc replace dev "$1" "${filter[@]}" ||
    ! nsenter --target "$pid" --net tc qdisc replace dev eth0 "${filter[@]}"; then
    fail 69 "the network of $1 was not slowed; $rate is not a rate of tc, or this kernel has no \
token bucket filter (sch_tbf)."
  fi
}

# A disk of the size that is used is full, and costs no memory.
fill() {
  local free=${1:-0} size used
  mountpoint -q "$LAB_FOLDER/shared" ||
    fail 2 "there is no laboratory $LAB; start one: cluster/lab.sh up 3."
  size=$(cat "$LAB_FOLDER/disk")
  if [ "$free" != off ]; then
    free=$(numfmt --from=iec "$free" 2> /dev/null) ||
      fail 64 "'$1' is not a number of bytes to leave free; write it like 1M, or off."
    used=$(df --block-size=1 --output=used "$LAB_FOLDER/shared" | tail -1)
    # A size of 0 would mean no limit.
    size=$((used + free > 0 ? used + free : 4096))
  fi
  mount -o "remount,size=$size" "$LAB_FOLDER/shared"
}

list_processes() {
  local name pid command
  for name in $(names); do
    for pid in $(processes "$name"); do
      # A process that has ended meanwhile has no command.
      command=$(tr '\0' ' ' 2> /dev/null < "/proc/$pid/cmdline") || continue
      if [ -n "$command" ]; then echo "$name $pid $command"; fi
    done
  done
}

bytes() {
  local name
  for name in $(names); do
    # What a host sends, the port of the switch receives (RX).
    on_switch ip -s link show dev "$name" |
      awk -v name="$name" '/RX:/ { getline; sent = $1 } /TX:/ { getline; print name, sent, $1 }'
  done
}

[[ $LAB =~ ^[a-z]([a-z0-9-]{0,8}[a-z])?$ ]] ||
  fail 64 "LAB=$LAB must be up to 10 lower-case letters and digits, with a letter at the end."
[[ $LAB_FOLDER =~ ^/[A-Za-z0-9._/-]+$ ]] ||
  fail 64 "LAB_FOLDER=$LAB_FOLDER must be an absolute path without spaces."
# A command on a host may use this script too (as ssh does): it goes on among the mounts where the
# laboratory was started, which the holder of the switch has kept.
switch=$(cat "$LAB_FOLDER/hosts/switch/pid" 2> /dev/null || true)
if [ -n "$switch" ] && [ "$(cat "/proc/$switch/comm" 2> /dev/null)" = sleep ] &&
  [ ! "/proc/$switch/ns/mnt" -ef /proc/self/ns/mnt ]; then
  exec nsenter --target "$switch" --mount env --chdir "$PWD" "$here/lab.sh" "$@"
fi
case ${1:-} in
  up) up "${@:2}" ;;
  down) down ;;
  run) run "${@:2}" ;;
  in) in_host "${@:2}" ;;
  ssh) ssh_to_host "${@:2}" ;;
  cut) cut_host "${@:2}" ;;
  heal) heal_host "${@:2}" ;;
  crash) need_host "${2:-}" > /dev/null && kill_processes "$2" ;;
  slow) slow_host "${@:2}" ;;
  fill) fill "${@:2}" ;;
  ps) list_processes ;;
  bytes) bytes ;;
  hosts) cat "$LAB_FOLDER/hostfile" 2> /dev/null || fail 2 "there is no laboratory $LAB." ;;
  probe) probe ;;
  -h | --help) usage ;;
  "") usage >&2; exit 64 ;;
  *) fail 64 "'$1' is no verb; cluster/lab.sh --help lists them." ;;
esac
