#!/usr/bin/env bash
# Installs the Debian packages that Apus needs on this host; run it on every host of a cluster.
# Swift is not among them.
#
#   cluster/setup.sh
#   cluster/setup.sh mpich    also what a build with MPICH needs (make build MPI=mpich)
#
# Prints nothing when no package is missing, and needs root or sudo only when one is.
set -euo pipefail

missing=()
# need PACKAGE COMMAND…: marks the Debian package as missing when the command fails.
need() { "${@:2}" >/dev/null 2>&1 || missing+=("$1"); }

need pkg-config       command -v pkg-config
need openmpi-bin      command -v mpirun
# mpirun needs ssh even when every rank runs on this host.
need openssh-client   command -v ssh
need libopenmpi-dev   pkg-config --exists ompi-c
need libopenblas-dev  pkg-config --exists openblas
need zlib1g-dev       pkg-config --exists zlib
need libsqlite3-dev   pkg-config --exists sqlite3
need libdnnl-dev      test -e /usr/include/dnnl.h
if [ "${1:-}" = mpich ]; then
  # Open MPI's commands keep their names; those of MPICH end with .mpich.
  need mpich            command -v mpiexec.mpich
  need libmpich-dev     pkg-config --exists mpich
fi

[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "cluster/setup.sh: this system has no apt-get; install its equivalents of the Debian" \
    "packages ${missing[*]}." >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "cluster/setup.sh: this user is not root and has no sudo; run 'apt-get install" \
      "${missing[*]}' as root." >&2
    exit 1
  fi
  as_root=(sudo)
fi

apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@"; }
echo "Installing ${missing[*]}"
# The package lists are updated only when the installation fails without that.
apt install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1 || {
  apt update
  apt install -y --no-install-recommends "${missing[@]}" >/dev/null
}
