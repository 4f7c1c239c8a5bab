// C = A·B where every weight in B is read from memory once, whatever the number of rows of A, up to
// some hundreds.
//
// A block of B is packed into the fastest cache, whichever way B lies in memory (see packing.h),
// and every row of A passes over it while the next block is on its way. A tile of rows × columns is
// summed in registers.
//
// One element of C is one sum over ascending k, with no other partial sums: its bits depend on k
// alone, not on the number of rows, nor on its place.
#include "packing.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Rows of a copied A are kept apart by one more cache line, lest those of a tile share the cache's
// lines.
enum { MOST_ROWS = 12, MOST_VECTORS = STEP / LANES, APART = 16 };

// The four cache lines of the next block to ask for at each unit of k of this one; `size` is that of
// an element.
struct ahead {
  const char *base;
  size_t step, second, size;
};

INLINED void fetch(struct ahead next, size_t unit) {
  const char *line = next.base + unit * next.step;
  __builtin_prefetch(line);
  __builtin_prefetch(line + 64);
  __builtin_prefetch(line + next.second);
  __builtin_prefetch(line + next.second + 64);
}

// A tile of C: `rows` × (`vectors` · 16), constants where this is inlined. A is fp32.
INLINED void expanded_tile(float *c, size_t c_pitch, const float *a, size_t a_pitch,
                           const uint32_t *b, size_t b_pitch, size_t pairs, bool adds,
                           struct ahead next, int rows, int vectors) {
  vf sums[MOST_ROWS][MOST_VECTORS];
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < vectors; v++) {
      sums[r][v] = adds ? (vf)LOAD(c + r * c_pitch + v * LANES) : (vf)0;
    }
  }
  for (size_t pair = 0; pair < pairs; pair++, b += b_pitch, a += 2) {
    vf first[MOST_VECTORS], second[MOST_VECTORS];
    if (next.base) fetch(next, pair);
    UNROLLED for (int v = 0; v < vectors; v++) {
      vu both = *(const vu *)(b + v * LANES);
      first[v] = (vf)(both << 16);
      second[v] = (vf)(both & 0xFFFF0000u);
    }
    UNROLLED for (int r = 0; r < rows; r++) {
      UNROLLED for (int v = 0; v < vectors; v++) sums[r][v] += a[r * a_pitch] * first[v];
    }
    UNROLLED for (int r = 0; r < rows; r++) {
      UNROLLED for (int v = 0; v < vectors; v++) sums[r][v] += a[r * a_pitch + 1] * second[v];
    }
  }
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < vectors; v++) STORE(c + r * c_pitch + v * LANES, sums[r][v]);
  }
}

// The same with B in fp32.
INLINED void single_tile(float *c, size_t c_pitch, const float *a, size_t a_pitch,
                         const uint32_t *b, size_t b_pitch, size_t units, bool adds,
                         struct ahead next, int rows, int vectors) {
  vf sums[MOST_ROWS][MOST_VECTORS];
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < vectors; v++) {
      sums[r][v] = adds ? (vf)LOAD(c + r * c_pitch + v * LANES) : (vf)0;
    }
  }
  for (size_t unit = 0; unit < units; unit++, b += b_pitch, a++) {
    vf x[MOST_VECTORS];
    if (next.base) fetch(next, unit);
    UNROLLED for (int v = 0; v < vectors; v++) x[v] = (vf) * (const vu *)(b + v * LANES);
    UNROLLED for (int r = 0; r < rows; r++) {
      UNROLLED for (int v = 0; v < vectors; v++) sums[r][v] += a[r * a_pitch] * x[v];
    }
  }
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < vectors; v++) STORE(c + r * c_pitch + v * LANES, sums[r][v]);
  }
}

// Pairs by instructions that multiply and add them. A is pairs too.
#if defined(__x86_64__)
#define QUICK __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

INLINED QUICK void paired_tile(float *c, size_t c_pitch, const float *a, size_t a_pitch,
                               const uint32_t *b, size_t b_pitch, size_t pairs, bool adds,
                               struct ahead next, int rows, int vectors) {
  __m512 sums[MOST_ROWS][MOST_VECTORS];
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < vectors; v++) {
      sums[r][v] = adds ? _mm512_loadu_ps(c + r * c_pitch + v * LANES) : _mm512_setzero_ps();
    }
  }
  for (size_t pair = 0; pair < pairs; pair++, b += b_pitch, a++) {
    __m512bh both[MOST_VECTORS];
    if (next.base) fetch(next, pair);
    UNROLLED for (int v = 0; v < vectors; v++) {
      both[v] = (__m512bh)_mm512_load_si512(b + v * LANES);
    }
    UNROLLED for (int r = 0; r < rows; r++) {
      __m512bh x = (__m512bh)_mm512_set1_ps(a[r * a_pitch]);
      UNROLLED for (int v = 0; v < vectors; v++) {
        sums[r][v] = _mm512_dpbf16_ps(sums[r][v], x, both[v]);
      }
    }
  }
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < vectors; v++) {
      _mm512_storeu_ps(c + r * c_pitch + v * LANES, sums[r][v]);
    }
  }
}
#endif

// All rows over one packed block; `a` is where its k begin.
struct pass {
  float *c;
  size_t c_pitch;
  const float *a;
  size_t a_pitch;
  const uint32_t *block;
  size_t block_pitch, m, width, units;
  bool adds;
  struct ahead next;
};

// Within a pass `p`, from its `row` on: as many tiles of `rows` rows as there are. The first ones ask
// for the next block.
#define TILES(TILE, rows, vectors)                                                                 \
  for (; row + (rows) <= p->m; row += (rows)) {                                                    \
    for (size_t column = 0; column < p->width; column += (vectors)*LANES) {                        \
      struct ahead next = p->next;                                                                 \
      bool asks = row == 0 && column % STEP == 0 && next.base;                                     \
      next.base = asks ? next.base + next.size * column : NULL;                                    \
      TILE(p->c + row * p->c_pitch + column, p->c_pitch, p->a + row * p->a_pitch, p->a_pitch,      \
           p->block + column, p->block_pitch, p->units, p->adds, next, (rows), (vectors));         \
    }                                                                                              \
  }

// As many sums as the registers hold beside the factors; expanded, twelve rows of two do not fit into
// AVX-512's 32.
#define WIDE_PASS(TILE)                                                                            \
  TILES(TILE, 8, 2)                                                                                \
  TILES(TILE, 4, 4)                                                                                \
  TILES(TILE, 2, 4)                                                                                \
  TILES(TILE, 1, 4)
#define NARROW_PASS(TILE)                                                                          \
  TILES(TILE, 6, 1)                                                                                \
  TILES(TILE, 3, 2)                                                                                \
  TILES(TILE, 1, 4)

#if defined(__x86_64__)
static QUICK void quick_pass(const struct pass *p) {
  size_t row = 0;
  TILES(paired_tile, 12, 2)
  WIDE_PASS(paired_tile)
}
#define WIDE __attribute__((target("arch=x86-64-v4"), min_vector_width(512)))
#define NARROW __attribute__((target("arch=x86-64-v3")))
static WIDE void wide_pass(const struct pass *p) {
  size_t row = 0;
  WIDE_PASS(expanded_tile)
}
static WIDE void wide_single_pass(const struct pass *p) {
  size_t row = 0;
  TILES(single_tile, 12, 2)
  WIDE_PASS(single_tile)
}
static NARROW void narrow_pass(const struct pass *p) {
  size_t row = 0;
  NARROW_PASS(expanded_tile)
}
static NARROW void narrow_single_pass(const struct pass *p) {
  size_t row = 0;
  NARROW_PASS(single_tile)
}
#endif
static void plain_pass(const struct pass *p) {
  size_t row = 0;
  NARROW_PASS(expanded_tile)
}
static void plain_single_pass(const struct pass *p) {
  size_t row = 0;
  NARROW_PASS(single_tile)
}

bool apus_has_half_products(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

// Where vdpbf16ps does twice as much in a cycle as fp32 multiply-adds: on AMD from Zen 4 on and on
// Cooper Lake. On Intel from Sapphire Rapids on it does half as much, there AMX is meant for bf16.
bool apus_half_pairs_are_quick(void) {
#if defined(__x86_64__)
  return apus_has_half_products() &&
         (__builtin_cpu_is("amd") || __builtin_cpu_is("cooperlake"));
#else
  return false;
#endif
}

typedef void (*run_pass)(const struct pass *);

static run_pass chosen_pass(bool half, bool quick) {
#if defined(__x86_64__)
  if (quick) return quick_pass;
  if (__builtin_cpu_supports("x86-64-v4")) return half ? wide_pass : wide_single_pass;
  if (__builtin_cpu_supports("x86-64-v3")) return half ? narrow_pass : narrow_single_pass;
#endif
  (void)quick;
  return half ? plain_pass : plain_single_pass;
}

// B in blocks of `width` columns and `depth` k, taken along its rows, or down its columns first
// where C is the larger load; `pitch` in bytes, `size` of an element.
struct walk {
  const char *b;
  size_t pitch, size;
  bool transposed, down;
  size_t n, k, width, depth;
};

struct part {
  const char *b;
  size_t row, column;
};

#define PARTS(size, each) (((size) + (each)-1) / (each))

static size_t part_count(const struct walk *w) {
  return PARTS(w->n, w->width) * PARTS(w->k, w->depth);
}

static struct part part_at(const struct walk *w, size_t place) {
  size_t across = PARTS(w->n, w->width), down = PARTS(w->k, w->depth);
  size_t row = (w->down ? place % down : place / across) * w->depth;
  size_t column = (w->down ? place / down : place % across) * w->width;
  size_t offset = w->transposed ? column * w->pitch + row * w->size
                                : row * w->pitch + column * w->size;
  return (struct part){w->b + offset, row, column};
}

static struct ahead ahead_of(const struct walk *w, size_t place) {
  if (place + 1 == part_count(w)) return (struct ahead){0};
  const char *base = part_at(w, place + 1).b;
  // To a pair belong two lines of two rows of B, to fp32 or in turn all four lines of one.
  if (!w->transposed && w->size == 2)
    return (struct ahead){base, 2 * w->pitch, w->pitch, w->size};
  return (struct ahead){base, w->pitch, 128, w->size};
}

// The last columns: whole tiles beside C, a few rows at a time.
static void run_beside(run_pass run, const struct pass *p) {
  float edge[MOST_ROWS * STEP] = {0};
  struct pass part = *p;
  part.c = edge;
  part.c_pitch = STEP;
  size_t bytes = p->width * sizeof *edge;
  for (size_t row = 0; row < p->m; row += MOST_ROWS) {
    part.m = p->m - row < MOST_ROWS ? p->m - row : MOST_ROWS;
    part.a = p->a + row * p->a_pitch;
    float *c = p->c + row * p->c_pitch;
    for (size_t r = 0; r < part.m && p->adds; r++) {
      memcpy(edge + r * STEP, c + r * p->c_pitch, bytes);
    }
    run(&part);
    for (size_t r = 0; r < part.m; r++) memcpy(c + r * p->c_pitch, edge + r * STEP, bytes);
  }
}

// All of B, over rows of A whose units of k are `a_pitch` apart.
static void run_blocks(const struct walk *w, bool quick, float *c, size_t c_pitch, const float *a,
                       size_t a_pitch, size_t m, bool adds) {
  bool half = w->size == sizeof(uint16_t);
  run_pass run = chosen_pass(half, quick);
  size_t per_unit = UNIT / w->size;
  for (size_t place = 0; place < part_count(w); place++) {
    _Alignas(64) uint32_t block[BLOCK];
    struct part part = part_at(w, place);
    size_t depth = w->k - part.row < w->depth ? w->k - part.row : w->depth;
    size_t width = w->n - part.column < w->width ? w->n - part.column : w->width;
    if (w->transposed) {
      apus_pack_columns(block, part.b, w->pitch, depth * w->size, width);
    } else if (half) {
      apus_pack_pairs(block, w->width, (const uint16_t *)part.b, w->pitch / w->size, depth, width);
    } else {
      apus_pack_rows(block, w->width, (const uint32_t *)part.b, w->pitch / w->size, depth, width);
    }
    struct pass pass = {.c = c + part.column,
                        .c_pitch = c_pitch,
                        .a = a + (quick ? part.row / 2 : part.row),
                        .a_pitch = a_pitch,
                        .block = block,
                        .block_pitch = w->width,
                        .m = m,
                        .width = width / STEP * STEP,
                        .units = PARTS(depth, per_unit),
                        .adds = adds || part.row > 0,
                        .next = ahead_of(w, place)};
    if (pass.width > 0) run(&pass);
    if (pass.width == width) continue;
    pass.c += pass.width;
    pass.block += pass.width;
    pass.width = width - pass.width;
    run_beside(run, &pass);
  }
}

// Up to so many rows the price is reading B, beyond them reading and writing C.
enum { FEW = 48 };

static struct walk walk_of(const void *b, size_t pitch, size_t size, bool transposed, size_t m,
                           size_t n, size_t k) {
  bool down = transposed || m > FEW;
  size_t width = down ? DEEP_WIDTH : WIDE_WIDTH;
  return (struct walk){.b = b,
                       .pitch = pitch * size,
                       .size = size,
                       .transposed = transposed,
                       .down = down,
                       .n = n,
                       .k = k,
                       .width = width,
                       .depth = BLOCK / width * UNIT / size};
}

#define PITCH(k, quick) ((quick) ? ((k) + 1) / 2 + APART : ((k) + 1) / 2 * 2 + APART)

size_t apus_few_rows_scratch(size_t m, size_t k, bool quick) { return m * PITCH(k, quick); }

void apus_few_rows(float *c, size_t c_pitch, const uint16_t *a, size_t a_pitch, const uint16_t *b,
                   size_t b_pitch, bool b_transposed, size_t m, size_t n, size_t k, bool adds,
                   bool quick, float *scratch) {
  size_t pitch = PITCH(k, quick), pairs = (k + 1) / 2;
  for (size_t row = 0; row < m; row++) {
    float *x = scratch + row * pitch;
    if (quick) {
      x[pairs - 1] = 0;
      memcpy(x, a + row * a_pitch, k * sizeof *a);
    } else {
      apus_expand_half(x, a + row * a_pitch, k);
      if (k % 2) x[k] = 0;
    }
  }
  // Without a packed block one row is a fifth faster still; the same sums in the same order, where no
  // missing k is made up for by a zero.
  if (m == 1 && !b_transposed && !quick && k % 2 == 0) {
    return apus_half_sum_rows(c, scratch, b, b_pitch, n, k, adds);
  }
  struct walk walk = walk_of(b, b_pitch, sizeof *b, b_transposed, m, n, k);
  run_blocks(&walk, quick, c, c_pitch, scratch, pitch, m, adds);
}

void apus_few_single_rows(float *c, size_t c_pitch, const float *a, size_t a_pitch, const float *b,
                          size_t b_pitch, bool b_transposed, size_t m, size_t n, size_t k,
                          bool adds, float *scratch) {
  struct walk walk = walk_of(b, b_pitch, sizeof *b, b_transposed, m, n, k);
  if (m < MOST_ROWS) return run_blocks(&walk, false, c, c_pitch, a, a_pitch, m, adds);
  size_t pitch = PITCH(k, false);
  for (size_t row = 0; row < m; row++) {
    memcpy(scratch + row * pitch, a + row * a_pitch, k * sizeof *a);
  }
  run_blocks(&walk, false, c, c_pitch, scratch, pitch, m, adds);
}
