import CKernels

/// How the Gaussian error linear unit x·Φ(x) is computed (Hendrycks & Gimpel 2016).
public enum GELU: Sendable {
  /// As it is defined; `gelu` in Hugging Face.
  case exact
  /// With a tanh in place of Φ; `gelu_new` in Hugging Face.
  case tanh
}

extension Tensor {
  /// The Gaussian error linear unit of every element.
  public func gelu(_ form: GELU = .tanh) -> Tensor {
    let x = self
    let values = { x.geluValues(form) }
    let y = values()
    return y.recorded(from: x) { dy in
      x.accumulate { dx, adds in
        Tensor.forEachBlock(of: [x]) { rows in
          let start = rows.lowerBound * x.columns
          let backward = form == .tanh ? apus_gelu_backward : apus_gelu_exact_backward
          x.reading(rows) { x in
            backward(dx + start, x, dy.pointer + start, rows.count * self.columns, adds)
          }
        }
      }
    }.remade(by: values)
  }

  private func geluValues(_ form: GELU) -> Tensor {
    let y = Tensor(uninitialized: shape, type: type, in: workspace)
    Tensor.forEachBlock(of: [self]) { rows in
      reading(rows) { x in
        y.writing(rows) { y in
          (form == .tanh ? apus_gelu : apus_gelu_exact)(y, x, rows.count * columns)
        }
      }
    }
    return y
  }

  /// The hyperbolic tangent of every element.
  public func tanh() -> Tensor {
    let y = Tensor(uninitialized: shape, in: workspace)
    apus_tanh(y.pointer, pointer, count)
    let (values, place) = (y.detached, gradientPlace)
    return y.recorded(from: self) { dy in
      place.accumulate { dx, adds in
        apus_tanh_backward(dx, values.pointer, dy.pointer, dy.count, adds)
      }
    }
  }

  /// SwiGLU's product silu(gate)·up (Shazeer 2020), where `self` is the gate.
  public func swiGLU(_ up: Tensor) -> Tensor {
    Tensor.requireSameShape(self, up, "swiGLU")
    let gate = self
    let y = gate.swiGLUValues(up)
    typealias Destination = (at: UnsafeMutablePointer<Float>?, adds: Bool)
    let backward = { (dy: Tensor, dgate: Destination, dup: Destination) in
      Tensor.forEachBlock(of: [gate, up]) { rows in
        let start = rows.lowerBound * gate.columns
        gate.reading(rows) { gatePart in
          up.reading(rows) { upPart in
            apus_swiglu_backward(
              dgate.at.map { $0 + start }, dgate.adds, dup.at.map { $0 + start }, dup.adds,
              gatePart, upPart, dy.pointer + start, rows.count * gate.columns)
          }
        }
      }
    }
    return y.recorded(from: gate, up) { dy in
      guard gate.variable !== up.variable else {
        // One destination cannot be open twice: one after the other.
        gate.accumulate { dgate, adds in backward(dy, (dgate, adds), (nil, false)) }
        return up.accumulate { dup, adds in backward(dy, (nil, false), (dup, adds)) }
      }
      gate.withGradient { dgate, gateAdds in
        up.withGradient { dup, upAdds in backward(dy, (dgate, gateAdds), (dup, upAdds)) }
      }
    }.remade { gate.swiGLUValues(up) }
  }

  private func swiGLUValues(_ up: Tensor) -> Tensor {
    let y = Tensor(uninitialized: shape, type: type, in: workspace)
    Tensor.forEachBlock(of: [self, up]) { rows in
      reading(rows) { gate in
        up.reading(rows) { up in
          y.writing(rows) { y in apus_swiglu(y, gate, up, rows.count * columns) }
        }
      }
    }
    return y
  }
}
