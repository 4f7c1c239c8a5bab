#include "vector.h"

#define VSQRT(x) __builtin_elementwise_sqrt(x)

KERNEL(void, apus_adamw,
       (float *p, float *m, float *v, const float *g, size_t n, float factor, float rate,
        float beta1, float beta2, float epsilon, float decay, float correction1,
        float correction2),
       (p, m, v, g, n, factor, rate, beta1, beta2, epsilon, decay, correction1, correction2)) {
  float shrink = 1.0f - rate * decay;
  float step = rate / correction1;
  float root = 1.0f / sqrtf(correction2);
  FOR_VECTORS(n, {
    vf gradient = GET(g) * factor;
    vf first = GET(m) * beta1 + gradient * (1.0f - beta1);
    vf second = GET(v) * beta2 + gradient * gradient * (1.0f - beta2);
    PUT(m, first);
    PUT(v, second);
    PUT(p, GET(p) * shrink - step * first / (VSQRT(second) * root + epsilon));
  });
}

KERNEL(void, apus_sgd,
       (float *p, float *m, const float *g, size_t n, float factor, float rate, float momentum,
        float decay),
       (p, m, g, n, factor, rate, momentum, decay)) {
  FOR_VECTORS(n, {
    vf weight = GET(p);
    vf direction = GET(g) * factor + weight * decay;
    if (m) {
      direction += GET(m) * momentum;
      PUT(m, direction);
    }
    PUT(p, weight - direction * rate);
  });
}

KERNEL(void, apus_nesterov,
       (float *p, float *m, const float *g, size_t n, float factor, float rate, float momentum),
       (p, m, g, n, factor, rate, momentum)) {
  FOR_VECTORS(n, {
    vf gradient = GET(g) * factor;
    vf velocity = GET(m) * momentum + gradient;
    PUT(m, velocity);
    PUT(p, GET(p) - (gradient + velocity * momentum) * rate);
  });
}
