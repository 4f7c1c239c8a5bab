import CKernels

/// The form of the Gaussian error linear unit x·Φ(x) (Hendrycks & Gimpel 2016).
package enum GELU: Sendable {
  /// The exact definition; `gelu` in Hugging Face.
  case exact
  /// The tanh approximation of Φ; `gelu_new` in Hugging Face.
  case tanh
}

extension Tensor {
  /// Returns the Gaussian error linear unit of every element.
  package func gelu(_ form: GELU = .tanh) -> Tensor {
    form == .tanh
      ? activation(apus_gelu, apus_gelu_backward)
      : activation(apus_gelu_exact, apus_gelu_exact_backward)
  }

  /// Returns max(x, 0) of every element (Nair & Hinton 2010).
  package func relu() -> Tensor { activation(apus_relu, apus_relu_backward) }

  private func activation(
    _ forward: @escaping (_ y: UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int) -> Void,
    _ backward:
      @escaping (
        _ dx: UnsafeMutablePointer<Float>, UnsafePointer<Float>, _ dy: UnsafePointer<Float>, Int,
        Bool
      ) -> Void, function: String = #function
  ) -> Tensor {
    let x = self
    let values = {
      let y = Tensor(uninitialized: x.shape, type: x.type, in: x.workspace)
      Tensor.forEachBlock(of: [x]) { rows in
        x.reading(rows) { from in
          y.writing(rows) { to in forward(to, from, rows.count * x.columns) }
        }
      }
      return y
    }
    return values().recorded(from: x, function: function) { dy in
      x.accumulate { dx, adds in
        Tensor.forEachBlock(of: [x]) { rows in
          let start = rows.lowerBound * x.columns
          x.reading(rows) { from in
            backward(dx + start, from, dy.pointer + start, rows.count * x.columns, adds)
          }
        }
      }
    }.recomputed(by: values)
  }

  /// Returns the hyperbolic tangent of every element.
  package func tanh() -> Tensor {
    let y = Tensor(uninitialized: shape, in: workspace)
    apus_tanh(y.pointer, pointer, count)
    let (values, place) = (y.detached, gradientPlace)
    return y.recorded(from: self) { dy in
      place.accumulate { dx, adds in
        apus_tanh_backward(dx, values.pointer, dy.pointer, dy.count, adds)
      }
    }
  }

  /// Returns SwiGLU's product silu(gate)·up (Shazeer 2020), where `self` is the gate.
  package func swiGLU(_ up: Tensor) -> Tensor {
    gated(up, apus_swiglu, apus_swiglu_backward)
  }

  /// Returns GEGLU's product gelu(gate)·up with the tanh form of GELU (Shazeer 2020), where `self`
  /// is the gate.
  package func geGLU(_ up: Tensor) -> Tensor { gated(up, apus_geglu, apus_geglu_backward) }

  private func gated(
    _ up: Tensor,
    _ forward:
      @escaping (
        _ y: UnsafeMutablePointer<Float>, _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>,
        Int
      ) -> Void,
    _ backward:
      @escaping (
        _ dgate: UnsafeMutablePointer<Float>?, Bool, _ dup: UnsafeMutablePointer<Float>?, Bool,
        _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, Int
      ) -> Void, function: String = #function
  ) -> Tensor {
    Tensor.requireSameShape(self, up, "a gated product")
    let gate = self
    let values = {
      let y = Tensor(uninitialized: gate.shape, type: gate.type, in: gate.workspace)
      Tensor.forEachBlock(of: [gate, up]) { rows in
        gate.reading(rows) { gatePart in
          up.reading(rows) { upPart in
            y.writing(rows) { forward($0, gatePart, upPart, rows.count * gate.columns) }
          }
        }
      }
      return y
    }
    typealias Destination = (at: UnsafeMutablePointer<Float>?, adds: Bool)
    let derive = { (dy: Tensor, dgate: Destination, dup: Destination) in
      Tensor.forEachBlock(of: [gate, up]) { rows in
        let start = rows.lowerBound * gate.columns
        gate.reading(rows) { gatePart in
          up.reading(rows) { upPart in
            backward(
              dgate.at.map { $0 + start }, dgate.adds, dup.at.map { $0 + start }, dup.adds,
              gatePart, upPart, dy.pointer + start, rows.count * gate.columns)
          }
        }
      }
    }
    return values().recorded(from: gate, up, function: function) { dy in
      guard gate.variable !== up.variable else {
        // A destination cannot be open twice, so the two gradients are added one after the other.
        gate.accumulate { dgate, adds in derive(dy, (dgate, adds), (nil, false)) }
        return up.accumulate { dup, adds in derive(dy, (nil, false), (dup, adds)) }
      }
      gate.withGradient { dgate, gateAdds in
        up.withGradient { dup, upAdds in derive(dy, (dgate, gateAdds), (dup, upAdds)) }
      }
    }.recomputed(by: values)
  }
}
