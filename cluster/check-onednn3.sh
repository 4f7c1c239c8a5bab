#!/usr/bin/env bash
# Checks that Sources/COneDNN compiles, links and multiplies with oneDNN 3, on a machine that has
# only version 2: it uses the headers and the library of PyPI's onednn-cpu-gomp, in a temporary
# folder.
set -euo pipefail

sources=$(cd "$(dirname "$0")/.." && pwd)/Sources/COneDNN
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
pip download --quiet --disable-pip-version-check --no-deps \
  onednn-cpu-gomp==2023.2.0 onednn-devel-cpu-gomp==2023.2.0
for wheel in *.whl; do python3 -m zipfile -e "$wheel" .; done

cat > check.c <<'C'
#include "conednn.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
_Static_assert(DNNL_VERSION_MAJOR == 3, "the headers are not those of oneDNN 3");
enum { M = 70, N = 50, K = 90 };
static uint16_t to_bf16(float x) { uint32_t bits; memcpy(&bits, &x, 4); return bits >> 16; }

int main(void) {
  static uint16_t a[M * K], b[N * K];
  static float bias[N], c[M * N];
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  if (apus_onednn_engine(&engine) || apus_onednn_stream(&stream, engine)) return 1;
  // Small integers are exact in bf16, and their sums are exact in fp32.
  for (int i = 0; i < M * K; i++) a[i] = to_bf16(i % 7 - 3);
  for (int i = 0; i < N * K; i++) b[i] = to_bf16(i % 5 - 2);
  double worst = 0;
  for (int mode = 0; mode < 3; mode++) {  // plain, plus a bias, added to C
    struct apus_product_shape s = {M, N, K, K, K, N, false, true, false, mode == 2, mode == 1};
    struct apus_product *product;
    int status = apus_product_create(&product, engine, &s);
    if (status) return printf("status %d\n", status), 1;
    for (int i = 0; i < N; i++) bias[i] = i;
    for (int i = 0; i < M * N; i++) c[i] = 0.5f;
    if (apus_product_run(product, stream, a, b, mode == 1 ? bias : NULL, c)) return 1;
    apus_product_destroy(product);
    for (int i = 0; i < M; i++)
      for (int j = 0; j < N; j++) {
        double sum = mode == 1 ? j : mode == 2 ? 0.5 : 0;
        for (int k = 0; k < K; k++) sum += ((i * K + k) % 7 - 3) * ((j * K + k) % 5 - 2);
        worst = fmax(worst, fabs(sum - c[i * N + j]));
      }
  }
  printf("oneDNN %d.%d.%d, isa %x: largest error %g\n", apus_onednn_major(), apus_onednn_minor(),
         apus_onednn_patch(), apus_onednn_isa(), worst);
  return worst > 0;
}
C
include=$(dirname "$(ls -d ./*devel*.data/data/include/dnnl.h)")
lib=$(dirname "$(ls -d ./*.data/data/lib/libdnnl.so.3 | head -1)")
${CC:-cc} -Wall -Wextra -Werror -I"$include" -I"$sources" check.c -o check \
  -L"$lib" -Wl,-rpath,"$PWD/$lib" -l:libdnnl.so.3 -lgomp -lm
./check
