#!/usr/bin/env bash
# Installs what Apus needs besides Swift, on this host; run it on every host of a cluster.
#
#   cluster/setup.sh
#
# Silent when nothing is missing. Needs root or sudo only when something is.
set -euo pipefail

missing=()
# need PACKAGE COMMAND…: notes the Debian package when the command fails.
need() { "${@:2}" >/dev/null 2>&1 || missing+=("$1"); }

need pkg-config       command -v pkg-config
need openmpi-bin      command -v mpirun
# mpirun looks for ssh even when every rank runs on this host.
need openssh-client   command -v ssh
need libopenmpi-dev   pkg-config --exists ompi-c
need libopenblas-dev  pkg-config --exists openblas
need zlib1g-dev       pkg-config --exists zlib
need libsqlite3-dev   pkg-config --exists sqlite3
need libdnnl-dev      test -e /usr/include/dnnl.h

[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "cluster/setup.sh: install what your system calls the Debian packages ${missing[*]}; there" \
    "is no apt-get here to do it." >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "cluster/setup.sh: ask somebody with root to run 'apt-get install ${missing[*]}'; there is" \
      "no sudo here to do it." >&2
    exit 1
  fi
  as_root=(sudo)
fi

apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@"; }
echo "Installing ${missing[*]}"
# The lists of packages are fetched only when they are absent or out of date.
apt install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1 || {
  apt update
  apt install -y --no-install-recommends "${missing[@]}" >/dev/null
}
