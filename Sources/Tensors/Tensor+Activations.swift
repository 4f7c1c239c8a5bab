import CKernels

extension Tensor {
  /// GELU in its tanh form (Hendrycks & Gimpel 2016; `gelu_new` in Hugging Face).
  public func gelu() -> Tensor {
    let y = Tensor(uninitialized: shape, in: workspace)
    apus_gelu(y.pointer, pointer, count)
    return y.recorded(from: self) { dy in
      self.accumulate { dx, adds in
        apus_gelu_backward(dx, self.pointer, dy.pointer, self.count, adds)
      }
    }
  }

  /// SwiGLU's product silu(gate)·up (Shazeer 2020), where `self` is the gate.
  public func swiGLU(_ up: Tensor) -> Tensor {
    Tensor.requireSameShape(self, up, "swiGLU")
    let y = Tensor(uninitialized: shape, in: workspace)
    apus_swiglu(y.pointer, pointer, up.pointer, count)
    return y.recorded(from: self, up) { dy in
      guard self.variable !== up.variable else {
        // One destination cannot be open twice: one after the other.
        self.accumulate { dgate, adds in
          apus_swiglu_backward(
            dgate, adds, nil, false, self.pointer, up.pointer, dy.pointer, self.count)
        }
        return up.accumulate { dup, adds in
          apus_swiglu_backward(
            nil, false, dup, adds, self.pointer, up.pointer, dy.pointer, self.count)
        }
      }
      self.withGradient { dgate, gateAdds in
        up.withGradient { dup, upAdds in
          apus_swiglu_backward(
            dgate, gateAdds, dup, upAdds, self.pointer, up.pointer, dy.pointer, self.count)
        }
      }
    }
  }
}
