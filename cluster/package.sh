#!/usr/bin/env bash
# Packs the program with the Swift libraries that it needs, for hosts without Swift: a tarball that
# works in any folder, and a Debian package. `make package` builds the program first.
#
#   cluster/package.sh [FOLDER]      writes into FOLDER, by default .build/package
#
# The other libraries (Open MPI, OpenBLAS, oneDNN, …) stay those of the host: for the same bits they
# have to be the same versions on all hosts, and an MPI has to fit to its mpirun.
set -euo pipefail

clone=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
APUS=${APUS:-$clone/.build/release/apus}
output=$(realpath -m "${1:-$clone/.build/package}")

# Prints a sentence, and ends with the exit code.
fail() {
  echo "cluster/package.sh: $2" >&2
  exit "$1"
}

[ -x "$APUS" ] || fail 2 "$APUS is no program; build it with make build."
for command in chrpath dpkg-shlibdeps dpkg-deb; do
  command -v $command > /dev/null ||
    fail 2 "$command is missing; install it: apt-get install chrpath dpkg-dev."
done

version=$("$APUS" --version)
architecture=$(dpkg --print-architecture)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The program finds libraries beside itself ($ORIGIN). The path of the toolchain is removed: on
# another host there may be another Swift.
tree=$scratch/apus-$version
mkdir -p "$tree/lib" "$tree/bin" "$output"
swift=$(ldd "$APUS" | awk '/libswiftCore/ { print $3 }')
[ -n "$swift" ] || fail 2 "$APUS needs no Swift libraries; it was not built by make build."
cp "$APUS" "$tree/lib/apus"
ldd "$APUS" | awk -v folder="$(dirname "$swift")/" 'index($3, folder) == 1 { print $3 }' |
  xargs cp -t "$tree/lib"
# shellcheck disable=SC2016
chrpath --replace '$ORIGIN' "$tree/lib/apus" > /dev/null
strip --strip-debug "$tree/lib/apus"
ln -s ../lib/apus "$tree/bin/apus"
cp -r "$clone/cluster" "$clone/hostfiles" "$clone/LICENSE" "$clone/README.md" "$tree"

tar --create --sort=name --owner=0 --group=0 --numeric-owner --directory "$scratch" \
  "apus-$version" |
  gzip --best --no-name > "$output/apus-$version-$architecture.tar.gz"

# The Debian packages of the other libraries, with the versions that they need at least.
mkdir -p "$scratch/debian"
printf 'Source: apus\n\nPackage: apus\nArchitecture: any\n' > "$scratch/debian/control"
depends=$(cd "$scratch" && dpkg-shlibdeps --ignore-missing-info -O -l"$tree/lib" \
  "$tree/lib/apus" 2> /dev/null | sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || fail 2 "the packages of the libraries of $APUS were not found."

# A copy of the sources, as in a container, has no history.
maintainer=$(git -C "$clone" log -1 --format='%an <%ae>' 2> /dev/null ||
  echo "Apus <apus@localhost>")
root=$scratch/root
mkdir -p "$root/DEBIAN" "$root/usr/lib" "$root/usr/bin" "$root/usr/share/doc/apus"
cp -r "$tree/lib" "$root/usr/lib/apus"
ln -s ../lib/apus/apus "$root/usr/bin/apus"
cp -r "$tree"/{cluster,hostfiles,README.md} "$root/usr/share/doc/apus"
cp "$tree/LICENSE" "$root/usr/share/doc/apus/copyright"
cat > "$root/DEBIAN/control" <<CONTROL
Package: apus
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -sk "$root/usr" | cut -f1)
Depends: $depends, openmpi-bin, openssh-client
Section: science
Priority: optional
Description: training of language models on CPUs with MPI
 Apus trains GPT-2, Llama, BERT, T5 and Gemma models on one or many hosts. A run
 reaches the same bits with any number of ranks, and after any interruption.
CONTROL
dpkg-deb --root-owner-group -Zgzip --build "$root" "$output/apus_${version}_$architecture.deb" \
  > /dev/null
ls -l "$output"
