// bf16 matrix products by oneDNN, through its C API of version 2 (Debian 12) or 3 (Debian 13,
// Ubuntu 24.04). Everything that differs between the two versions is in this file.
//
// Conventions: row-major matrices with a row stride in elements; 0 is success, anything else is
// oneDNN's status. The library runs on the calling thread only.
#pragma once
#include <dnnl.h>
#include <dnnl_version.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

// Declared here because the header of libgomp belongs to one compiler.
extern void omp_set_num_threads(int count);

/// C = A·B (+ bias) (+ C) with bf16 A and B, fp32 sums, and C in fp32 or bf16.
struct apus_product_shape {
  int64_t m, n, k;
  int64_t a_stride, b_stride, c_stride;
  bool a_transposed, b_transposed;
  bool c_is_bf16;
  bool adds;
  bool has_bias;
};

struct apus_product {
  dnnl_primitive_t primitive;
  dnnl_memory_t a, b, bias, c;
};

static inline int apus_onednn_major(void) { return dnnl_version()->major; }
static inline int apus_onednn_minor(void) { return dnnl_version()->minor; }
static inline int apus_onednn_patch(void) { return dnnl_version()->patch; }

/// The instruction set in use, as a `dnnl_cpu_isa_t`.
static inline int apus_onednn_isa(void) { return (int)dnnl_get_effective_cpu_isa(); }

/// True when the instruction set in use has bf16 products.
static inline bool apus_onednn_has_bf16_products(void) {
  int isa = apus_onednn_isa();
  return (isa & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
}

/// True when the instruction set in use has AMX.
static inline bool apus_onednn_has_tiles(void) {
  return (apus_onednn_isa() & dnnl_cpu_isa_avx512_core_amx) == dnnl_cpu_isa_avx512_core_amx;
}

static inline int apus_onednn_engine(dnnl_engine_t *engine) {
  return dnnl_engine_create(engine, dnnl_cpu, 0);
}
static inline int apus_onednn_stream(dnnl_stream_t *stream, dnnl_engine_t engine) {
  return dnnl_stream_create(stream, engine, dnnl_stream_default_flags);
}

// Dimensions and strides of a row-major matrix, optionally read transposed.
#define APUS_DIMS(rows, cols) {(rows), (cols)}
#define APUS_STRIDES(stride, transposed) {(transposed) ? 1 : (stride), (transposed) ? (stride) : 1}

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t apus_desc;
#define APUS_DESC(d) (d)
static inline int apus_make_desc(apus_desc *d, const dnnl_dims_t dims, dnnl_data_type_t type,
                                 const dnnl_dims_t strides) {
  return dnnl_memory_desc_create_with_strides(d, 2, dims, type, strides);
}
static inline void apus_drop_desc(apus_desc *d) { dnnl_memory_desc_destroy(*d); }
static inline int apus_append_sum(dnnl_post_ops_t ops) {
  return dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_data_type_undef);
}
static inline int apus_make_product(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, apus_desc *a,
                                    apus_desc *b, apus_desc *bias, apus_desc *c,
                                    dnnl_primitive_attr_t attr) {
  return dnnl_matmul_primitive_desc_create(pd, engine, *a, *b, bias ? *bias : NULL, *c, attr);
}
static inline int apus_make_memory(dnnl_memory_t *memory, apus_desc *d, dnnl_engine_t engine) {
  return dnnl_memory_create(memory, *d, engine, DNNL_MEMORY_NONE);
}
#else
typedef dnnl_memory_desc_t apus_desc;
static inline int apus_make_desc(apus_desc *d, const dnnl_dims_t dims, dnnl_data_type_t type,
                                 const dnnl_dims_t strides) {
  return dnnl_memory_desc_init_by_strides(d, 2, dims, type, strides);
}
static inline void apus_drop_desc(apus_desc *d) { (void)d; }
static inline int apus_append_sum(dnnl_post_ops_t ops) {
  return dnnl_post_ops_append_sum(ops, 1.0f);
}
static inline int apus_make_product(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, apus_desc *a,
                                    apus_desc *b, apus_desc *bias, apus_desc *c,
                                    dnnl_primitive_attr_t attr) {
  dnnl_matmul_desc_t operation;
  int status = dnnl_matmul_desc_init(&operation, a, b, bias, c);
  return status ? status : (int)dnnl_primitive_desc_create(pd, &operation, attr, engine, NULL);
}
static inline int apus_make_memory(dnnl_memory_t *memory, apus_desc *d, dnnl_engine_t engine) {
  return dnnl_memory_create(memory, d, engine, DNNL_MEMORY_NONE);
}
#endif

/// Makes oneDNN run the products that the calling thread prepares on that thread alone. The OpenMP
/// setting is per thread, and oneDNN reads it when a product is prepared.
static inline void apus_use_calling_thread_only(void) {
  static _Thread_local bool is_set = false;
  if (is_set) return;
  omp_set_num_threads(1);
  is_set = true;
}

static inline void apus_product_destroy(struct apus_product *product) {
  if (product->a) dnnl_memory_destroy(product->a);
  if (product->b) dnnl_memory_destroy(product->b);
  if (product->bias) dnnl_memory_destroy(product->bias);
  if (product->c) dnnl_memory_destroy(product->c);
  if (product->primitive) dnnl_primitive_destroy(product->primitive);
  free(product);
}

/// True when preparing failed because oneDNN has no kernel for the product on this CPU, and not for
/// another error.
static inline bool apus_is_unimplemented(int status) {
  return status == dnnl_unimplemented || status == dnnl_invalid_arguments;
}

/// Prepares a product of one shape. Check a nonzero status with `apus_is_unimplemented`.
static inline int apus_product_create(struct apus_product **result, dnnl_engine_t engine,
                                      const struct apus_product_shape *s) {
  apus_use_calling_thread_only();
  const dnnl_dims_t a_dims = APUS_DIMS(s->m, s->k), b_dims = APUS_DIMS(s->k, s->n);
  const dnnl_dims_t c_dims = APUS_DIMS(s->m, s->n), bias_dims = APUS_DIMS(1, s->n);
  const dnnl_dims_t a_strides = APUS_STRIDES(s->a_stride, s->a_transposed);
  const dnnl_dims_t b_strides = APUS_STRIDES(s->b_stride, s->b_transposed);
  const dnnl_dims_t c_strides = APUS_STRIDES(s->c_stride, false);
  const dnnl_dims_t bias_strides = APUS_STRIDES(s->n, false);
  struct apus_product *product = (struct apus_product *)calloc(1, sizeof *product);
  if (!product) return dnnl_out_of_memory;
  apus_desc a, b, c, bias;
  dnnl_primitive_attr_t attr = NULL;
  dnnl_post_ops_t ops = NULL;
  dnnl_primitive_desc_t pd = NULL;
  int status = apus_make_desc(&a, a_dims, dnnl_bf16, a_strides);
  if (!status) status = apus_make_desc(&b, b_dims, dnnl_bf16, b_strides);
  if (!status) status = apus_make_desc(&c, c_dims, s->c_is_bf16 ? dnnl_bf16 : dnnl_f32, c_strides);
  if (!status) status = apus_make_desc(&bias, bias_dims, dnnl_f32, bias_strides);
  if (status) {  // No caller passes sizes that reach this branch.
    free(product);
    return status;
  }
  status = dnnl_primitive_attr_create(&attr);
  if (!status && s->adds) {
    status = dnnl_post_ops_create(&ops);
    if (!status) status = apus_append_sum(ops);
    if (!status) status = dnnl_primitive_attr_set_post_ops(attr, ops);
  }
  if (!status)
    status = apus_make_product(&pd, engine, &a, &b, s->has_bias ? &bias : NULL, &c, attr);
  if (!status) status = dnnl_primitive_create(&product->primitive, pd);
  if (!status) status = apus_make_memory(&product->a, &a, engine);
  if (!status) status = apus_make_memory(&product->b, &b, engine);
  if (!status) status = apus_make_memory(&product->c, &c, engine);
  if (!status && s->has_bias) status = apus_make_memory(&product->bias, &bias, engine);
  if (pd) dnnl_primitive_desc_destroy(pd);
  if (ops) dnnl_post_ops_destroy(ops);
  if (attr) dnnl_primitive_attr_destroy(attr);
  apus_drop_desc(&a);
  apus_drop_desc(&b);
  apus_drop_desc(&c);
  apus_drop_desc(&bias);
  if (status) {
    apus_product_destroy(product);
    return status;
  }
  *result = product;
  return 0;
}

/// Runs a prepared product on the calling thread.
static inline int apus_product_run(struct apus_product *product, dnnl_stream_t stream,
                                   const void *a, const void *b, const float *bias, void *c) {
  apus_use_calling_thread_only();
  dnnl_memory_set_data_handle(product->a, (void *)a);
  dnnl_memory_set_data_handle(product->b, (void *)b);
  dnnl_memory_set_data_handle(product->c, c);
  if (product->bias) dnnl_memory_set_data_handle(product->bias, (void *)bias);
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, product->a},
                                       {DNNL_ARG_WEIGHTS, product->b},
                                       {DNNL_ARG_DST, product->c},
                                       {DNNL_ARG_BIAS, product->bias}};
  int status = dnnl_primitive_execute(product->primitive, stream, product->bias ? 4 : 3, arguments);
  return status ? status : (int)dnnl_stream_wait(stream);
}
