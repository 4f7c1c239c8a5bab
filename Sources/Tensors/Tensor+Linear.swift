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
  ///   - precise: Whether the result is to be fp32 under bf16 too, because sums read it: the
  ///     residual stream, logits.
  public func linear(
    weight: Tensor, order: WeightOrder, bias: Tensor? = nil, precise: Bool = false
  ) -> Tensor {
    precondition(weight.shape.count == 2, "linear: weight of shape \(weight.shape)")
    let byOutputs = order == .outputsByInputs
    let inputs = weight.shape[byOutputs ? 1 : 0]
    let outputs = weight.shape[byOutputs ? 0 : 1]
    precondition(columns == inputs, "linear: input \(shape) and weight \(weight.shape) (\(order))")
    precondition(
      bias.map { $0.count == outputs } ?? true,
      "linear: bias \(bias?.shape ?? []) for \(outputs) outputs")
    let (workspace, rows) = (workspace, rows)
    let x = operand
    let w = weight.operand
    let y = Tensor(
      uninitialized: shape.dropLast() + [outputs],
      type: precise ? .float32 : Tensor.operandType(in: workspace), in: workspace)
    workspace.multiply(
      Matrix(x), Matrix(w, transposed: byOutputs), into: MatrixDestination(y), m: rows, n: outputs,
      k: inputs, bias: bias?.pointer)
    let (dxPlace, dwPlace) = (gradientPlace, weight.gradientPlace)
    return y.recorded(from: self, weight, bias) { dy in
      bias?.accumulate { dbias, adds in
        workspace.forEachPart(outputs, cost: rows) { part in
          apus_column_sums(
            dbias + part.lowerBound, dy.pointer + part.lowerBound, outputs, rows, part.count, adds)
        }
      }
      let dy = dy.operand
      dwPlace.accumulate { dw, adds in
        let (a, b) = byOutputs ? (dy, x) : (x, dy)
        workspace.multiply(
          Matrix(a, transposed: true), Matrix(b),
          into: MatrixDestination(dw, pitch: b.columns), m: a.columns, n: b.columns, k: rows,
          adds: adds)
      }
      dxPlace.accumulate { dx, adds in
        workspace.multiply(
          Matrix(dy), Matrix(w, transposed: !byOutputs),
          into: MatrixDestination(dx, pitch: inputs), m: rows, n: inputs, k: outputs, adds: adds)
      }
    }
  }
}
