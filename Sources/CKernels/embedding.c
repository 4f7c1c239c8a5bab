#include "vector.h"

void apus_gather(float *y, const float *table, const int32_t *ids, size_t rows, size_t cols) {
  for (size_t r = 0; r < rows; r++)
    memcpy(y + r * cols, table + (size_t)ids[r] * cols, cols * sizeof(float));
}

KERNEL(void, apus_scatter_add,
       (float *table, const float *dy, const int32_t *ids, size_t rows, size_t cols),
       (table, dy, ids, rows, cols)) {
  for (size_t r = 0; r < rows; r++, dy += cols) {
    float *row = table + (size_t)ids[r] * cols;
    FOR_VECTORS(cols, PUT(row, GET(row) + GET(dy)););
  }
}
