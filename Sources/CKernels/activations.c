// Activations. With u = √(2/π)(x + 0.044715x³) the tanh form of GELU is x·σ(2u), because
// (1 + tanh u)/2 = σ(2u); its derivative is s + x·s(1 − s)·2u′. Silu is x·σ(x).
#include "vector.h"

#define GELU_2U(x) ((x) * (1.5957691216057308f + 0.07135481627f * (x) * (x)))
#define GELU_2DU(x) (1.5957691216057308f + 0.21406444881f * (x) * (x))

CLONED void apus_gelu(float *y, const float *x, size_t n) {
  FOR_VECTORS(n, {
    vf v = GET(x);
    PUT(y, v * VSIGMOID(GELU_2U(v)));
  });
}

CLONED void apus_gelu_backward(float *dx, const float *x, const float *dy, size_t n,
                               bool accumulate) {
  FOR_VECTORS(n, {
    vf v = GET(x);
    vf s = VSIGMOID(GELU_2U(v));
    vf d = GET(dy) * (s + v * s * (1.0f - s) * GELU_2DU(v));
    if (accumulate) d += GET(dx);
    PUT(dx, d);
  });
}

CLONED void apus_swiglu(float *y, const float *gate, const float *up, size_t n) {
  FOR_VECTORS(n, {
    vf g = GET(gate);
    PUT(y, g * VSIGMOID(g) * GET(up));
  });
}

CLONED void apus_swiglu_backward(float *dgate, bool gate_accumulate, float *dup, bool up_accumulate,
                                 const float *gate, const float *up, const float *dy, size_t n) {
  FOR_VECTORS(n, {
    vf g = GET(gate);
    vf d = GET(dy);
    vf s = VSIGMOID(g);
    if (dgate) {
      vf dg = d * GET(up) * (s + g * s * (1.0f - s));
      if (gate_accumulate) dg += GET(dgate);
      PUT(dgate, dg);
    }
    if (dup) {
      vf du = d * g * s;
      if (up_accumulate) du += GET(dup);
      PUT(dup, du);
    }
  });
}
