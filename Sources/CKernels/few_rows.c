// C = A·B in bf16 for few rows of A: every weight in B is read from memory once, whatever their
// number.
//
// Two consecutive k of a column of B stand side by side in 32 bits, a "pair". A block of B is packed
// into pairs in the fastest cache, whichever way B lies in memory, and every row of A passes over it
// while the next block is on its way. A tile of rows × columns is summed in registers.
//
// One element of C is one sum over ascending k, with no other partial sums: its bits depend on k
// alone, not on the number of rows, nor on its place.
#include "vector.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

// A packed block has 16 KB. Where the rows of B run along n it is wide (32 k by 256 columns), where
// they run along k it is deep (128 by 64): hardware looks ahead along rows. Tiles are STEP columns
// wide or a part of that. Rows of A are kept apart by one more cache line, lest those of a tile
// share the cache's lines.
enum {
  STEP = 64,
  BLOCK = 4096,
  WIDTH = 4 * STEP,
  WIDTH_TRANSPOSED = STEP,
  MOST_ROWS = 12,
  MOST_VECTORS = STEP / LANES,
  APART = 16
};

#define INLINED static inline __attribute__((always_inline))
#define UNROLLED _Pragma("clang loop unroll(full)")

// The four cache lines of the next block to ask for at each pair of this one.
struct ahead {
  const char *base;
  size_t step, second;
};

INLINED void fetch(struct ahead next, size_t pair) {
  const char *line = next.base + pair * next.step;
  __builtin_prefetch(line);
  __builtin_prefetch(line + 64);
  __builtin_prefetch(line + next.second);
  __builtin_prefetch(line + next.second + 64);
}

typedef uint16_t vh2 __attribute__((ext_vector_type(32)));
typedef uint32_t vu_unaligned __attribute__((ext_vector_type(16), aligned(2)));

#define INTERLEAVE(x, y, from)                                                                     \
  __builtin_shufflevector((x), (y), (from), (from) + 32, (from) + 1, (from) + 33, (from) + 2,      \
                          (from) + 34, (from) + 3, (from) + 35, (from) + 4, (from) + 36,           \
                          (from) + 5, (from) + 37, (from) + 6, (from) + 38, (from) + 7,            \
                          (from) + 39, (from) + 8, (from) + 40, (from) + 9, (from) + 41,           \
                          (from) + 10, (from) + 42, (from) + 11, (from) + 43, (from) + 12,         \
                          (from) + 44, (from) + 13, (from) + 45, (from) + 14, (from) + 46,         \
                          (from) + 15, (from) + 47)

// From B [k, n]: `rows` of k, `width` columns. What is missing of a pair or a step becomes zero.
CLONED void apus_pack_rows(uint32_t *block, const uint16_t *b, size_t pitch, size_t rows,
                           size_t width) {
  for (size_t row = 0; row < rows; row += 2, b += 2 * pitch, block += WIDTH) {
    for (size_t column = 0; column < (width + STEP - 1) / STEP * STEP; column += 2 * LANES) {
      vh2 first = 0, second = 0;
      size_t rest = column < width ? width - column : 0;
      if (rest >= 2 * LANES) {
        memcpy(&first, b + column, sizeof first);
        if (row + 1 < rows) memcpy(&second, b + pitch + column, sizeof second);
      } else {
        memcpy(&first, b + column, rest * sizeof *b);
        if (row + 1 < rows) memcpy(&second, b + pitch + column, rest * sizeof *b);
      }
      *(vu *)(block + column) = (vu)INTERLEAVE(first, second, 0);
      *(vu *)(block + column + LANES) = (vu)INTERLEAVE(first, second, 16);
    }
  }
}

// One of the four stages in which sixteen vectors are transposed: x[i] and x[i + distance] trade the
// halves of groups of 2·distance lanes.
#define TRADE(x, distance, ...)                                                                    \
  UNROLLED for (int i = 0; i < LANES; i++) {                                                       \
    if (i & (distance)) continue;                                                                  \
    vu low_ = (x)[i], high_ = (x)[i + (distance)];                                                 \
    TRADE_PAIR((x)[i], (x)[i + (distance)], low_, high_, __VA_ARGS__);                             \
  }
#define TRADE_PAIR(a, b, low, high, i0, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12, i13,    \
                   i14, i15, d)                                                                    \
  (a) = __builtin_shufflevector((low), (high), i0, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11,   \
                                i12, i13, i14, i15);                                               \
  (b) = __builtin_shufflevector((low), (high), i0 + d, i1 + d, i2 + d, i3 + d, i4 + d, i5 + d,     \
                                i6 + d, i7 + d, i8 + d, i9 + d, i10 + d, i11 + d, i12 + d,         \
                                i13 + d, i14 + d, i15 + d)

// From B [n, k]: `width` rows, at most STEP, each with `depth` of k.
CLONED void apus_pack_columns(uint32_t *block, const uint16_t *b, size_t pitch, size_t depth,
                          size_t width) {
  for (size_t column = 0; column < STEP; column += LANES, b += LANES * pitch) {
    for (size_t first = 0; first < depth; first += 2 * LANES) {
      vu x[LANES];
      bool whole = column + LANES <= width && first + 2 * LANES <= depth;
      size_t rest = depth - first < 2 * LANES ? depth - first : 2 * LANES;
      UNROLLED for (int i = 0; i < LANES; i++) {
        x[i] = 0;
        if (whole)
          x[i] = *(const vu_unaligned *)(b + i * pitch + first);
        else if (column + i < width)
          memcpy(&x[i], b + i * pitch + first, rest * sizeof *b);
      }
      TRADE(x, 8, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23, 8);
      TRADE(x, 4, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27, 4);
      TRADE(x, 2, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29, 2);
      TRADE(x, 1, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30, 1);
      UNROLLED for (int i = 0; i < LANES; i++) {
        *(vu *)(block + (first / 2 + i) * WIDTH_TRANSPOSED + column) = x[i];
      }
    }
  }
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

// The same with instructions that multiply and add pairs. A is pairs too.
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
  size_t block_pitch, m, width, pairs;
  bool adds;
  struct ahead next;
};

// Within a pass `p`, from its `row` on: as many tiles of `rows` rows as there are. The first ones ask
// for the next block.
#define TILES(TILE, rows, vectors)                                                                 \
  for (; row + (rows) <= p->m; row += (rows)) {                                                    \
    for (size_t column = 0; column < p->width; column += (vectors)*LANES) {                        \
      struct ahead next = p->next;                                                                 \
      next.base = row == 0 && column % STEP == 0 && next.base ? next.base + 2 * column : NULL;     \
      TILE(p->c + row * p->c_pitch + column, p->c_pitch, p->a + row * p->a_pitch, p->a_pitch,      \
           p->block + column, p->block_pitch, p->pairs, p->adds, next, (rows), (vectors));         \
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
static __attribute__((target("arch=x86-64-v4"), min_vector_width(512))) void
wide_pass(const struct pass *p) {
  size_t row = 0;
  WIDE_PASS(expanded_tile)
}
static __attribute__((target("arch=x86-64-v3"))) void narrow_pass(const struct pass *p) {
  size_t row = 0;
  NARROW_PASS(expanded_tile)
}
#endif
static void plain_pass(const struct pass *p) {
  size_t row = 0;
  NARROW_PASS(expanded_tile)
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

static void (*chosen_pass(bool quick))(const struct pass *) {
#if defined(__x86_64__)
  if (quick) return quick_pass;
  if (__builtin_cpu_supports("x86-64-v4")) return wide_pass;
  if (__builtin_cpu_supports("x86-64-v3")) return narrow_pass;
#endif
  (void)quick;
  return plain_pass;
}

// B in blocks of `width` columns and `depth` k, taken along its rows.
struct walk {
  const uint16_t *b;
  size_t pitch;
  bool transposed;
  size_t n, k, width, depth;
};

struct part {
  const uint16_t *b;
  size_t row, column;
};

#define PARTS(size, each) (((size) + (each)-1) / (each))

static size_t part_count(const struct walk *w) {
  return PARTS(w->n, w->width) * PARTS(w->k, w->depth);
}

static struct part part_at(const struct walk *w, size_t place) {
  size_t across = PARTS(w->n, w->width), down = PARTS(w->k, w->depth);
  size_t row = (w->transposed ? place % down : place / across) * w->depth;
  size_t column = (w->transposed ? place / down : place % across) * w->width;
  size_t offset = w->transposed ? column * w->pitch + row : row * w->pitch + column;
  return (struct part){w->b + offset, row, column};
}

static struct ahead ahead_of(const struct walk *w, size_t place) {
  if (place + 1 == part_count(w)) return (struct ahead){0};
  const char *base = (const char *)part_at(w, place + 1).b;
  size_t pitch = w->pitch * sizeof *w->b;
  // To a pair belong two lines of two rows of B, or in turn all four lines of one.
  return w->transposed ? (struct ahead){base, pitch, 128} : (struct ahead){base, 2 * pitch, pitch};
}

// The last columns: whole tiles beside C, a few rows at a time.
static void run_beside(void (*run)(const struct pass *), const struct pass *p) {
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
  void (*run)(const struct pass *) = chosen_pass(quick);
  size_t block_pitch = b_transposed ? WIDTH_TRANSPOSED : WIDTH, most = 2 * BLOCK / block_pitch;
  struct walk walk = {b, b_pitch, b_transposed, n, k, block_pitch, most};
  for (size_t place = 0; place < part_count(&walk); place++) {
    _Alignas(64) uint32_t block[BLOCK];
    struct part part = part_at(&walk, place);
    size_t depth = k - part.row < most ? k - part.row : most;
    size_t width = n - part.column < block_pitch ? n - part.column : block_pitch;
    if (b_transposed) {
      apus_pack_columns(block, part.b, b_pitch, depth, width);
    } else {
      apus_pack_rows(block, part.b, b_pitch, depth, width);
    }
    struct pass pass = {.c = c + part.column,
                        .c_pitch = c_pitch,
                        .a = scratch + (quick ? part.row / 2 : part.row),
                        .a_pitch = pitch,
                        .block = block,
                        .block_pitch = block_pitch,
                        .m = m,
                        .width = width / STEP * STEP,
                        .pairs = (depth + 1) / 2,
                        .adds = adds || part.row > 0,
                        .next = ahead_of(&walk, place)};
    if (pass.width > 0) run(&pass);
    if (pass.width == width) continue;
    pass.c += pass.width;
    pass.block += pass.width;
    pass.width = width - pass.width;
    run_beside(run, &pass);
  }
}
