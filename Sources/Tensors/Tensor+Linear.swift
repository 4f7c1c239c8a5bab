import CKernels

/// How the weight of a linear layer lies in memory.
public enum WeightOrder: Sendable {
  /// [outputs, inputs], as PyTorch's `Linear`.
  case outputsByInputs
  /// [inputs, outputs], as GPT-2's `Conv1D`.
  case inputsByOutputs
}

extension Tensor {
  /// x·W + bias over the last dimension: [… , inputs] → [… , outputs].
  ///
  /// Backward: dx = dy·Wᵀ, dW = xᵀ·dy, dbias = Σ rows of dy; the products add in place.
  ///
  /// - Parameters:
  ///   - weight: Shape as `order` says.
  ///   - bias: Shape [outputs], or nil.
  public func linear(weight: Tensor, order: WeightOrder, bias: Tensor? = nil) -> Tensor {
    precondition(weight.shape.count == 2, "linear: weight of shape \(weight.shape)")
    let byOutputs = order == .outputsByInputs
    let inputs = weight.shape[byOutputs ? 1 : 0]
    let outputs = weight.shape[byOutputs ? 0 : 1]
    precondition(columns == inputs, "linear: input \(shape) and weight \(weight.shape) (\(order))")
    precondition(
      bias.map { $0.count == outputs } ?? true,
      "linear: bias \(bias?.shape ?? []) for \(outputs) outputs")
    let x = self
    let rows = rows
    let y = Tensor(uninitialized: shape.dropLast() + [outputs], in: workspace)
    if let bias { apus_broadcast_rows(y.pointer, bias.pointer, rows, outputs) }
    let pitch = byOutputs ? inputs : outputs
    multiply(
      Matrix(pointer, pitch: inputs), Matrix(weight.pointer, pitch: pitch, transposed: byOutputs),
      into: y.pointer, pitch: outputs, m: rows, n: outputs, k: inputs, beta: bias == nil ? 0 : 1)
    return y.recorded(from: x, weight, bias) { dy in
      bias?.accumulate { dbias, adds in
        apus_column_sums(dbias, dy.pointer, rows, outputs, adds)
      }
      weight.accumulate { dw, adds in
        let beta: Float = adds ? 1 : 0
        if byOutputs {
          multiply(
            Matrix(dy.pointer, pitch: outputs, transposed: true), Matrix(x.pointer, pitch: inputs),
            into: dw,
            pitch: pitch, m: outputs, n: inputs, k: rows, beta: beta)
        } else {
          multiply(
            Matrix(x.pointer, pitch: inputs, transposed: true), Matrix(dy.pointer, pitch: outputs),
            into: dw,
            pitch: pitch, m: inputs, n: outputs, k: rows, beta: beta)
        }
      }
      x.accumulate { dx, adds in
        multiply(
          Matrix(dy.pointer, pitch: outputs),
          Matrix(weight.pointer, pitch: pitch, transposed: !byOutputs),
          into: dx, pitch: inputs, m: rows, n: inputs, k: outputs, beta: adds ? 1 : 0)
      }
    }
  }
}
