import CKernels

/// The memory order of a linear layer's weight.
package enum WeightOrder: Sendable {
  /// [outputs, inputs], as in PyTorch's `Linear`.
  case outputsByInputs
  /// [inputs, outputs], as in GPT-2's `Conv1D`.
  case inputsByOutputs
}

extension Tensor {
  /// Returns x·W + bias over the last dimension: [… , inputs] → [… , outputs]; with `plus`, + u·Vᵀ.
  ///
  /// Backward: dx = dy·Wᵀ, dW = xᵀ·dy, dbias = Σ rows of dy, du = dy·V, dV = dyᵀ·u; the products
  /// add to the gradients in place.
  ///
  /// - Parameters:
  ///   - weight: W, in the memory order `order`.
  ///   - order: The memory order of `weight`.
  ///   - bias: Shape [outputs], or nil.
  ///   - plus: A second input u [… , rank] and its weight V [outputs, rank], whose product is added
  ///     to the same fp32 sum.
  ///   - fp32Output: True to return fp32 also in bf16 precision, for results that sums read, such
  ///     as the residual stream and logits.
  package func linear(
    weight: Tensor, order: WeightOrder, bias: Tensor? = nil,
    plus: (input: Tensor, weight: Tensor)? = nil, fp32Output: Bool = false
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
    precondition(
      plus.map { $0.input.rows == rows && $0.weight.shape == [outputs, $0.input.columns] } ?? true,
      "linear: besides \(shape) → \(outputs), \(plus?.input.shape ?? []) by "
        + "\(plus?.weight.shape ?? [])")
    let x = operand
    let w = weight.operand
    let y = Tensor(
      uninitialized: shape.dropLast() + [outputs],
      type: fp32Output ? .float32 : Tensor.operandType(in: workspace), in: workspace)
    // The second product can add to fp32 only.
    let sums =
      plus != nil && y.type == .bfloat16 ? Tensor(uninitialized: y.shape, in: workspace) : y
    workspace.multiply(
      Matrix(x), Matrix(w, transposed: byOutputs), into: MatrixDestination(sums), m: rows,
      n: outputs, k: inputs, bias: bias?.pointer, ascending: workspace.isBatchInvariant)
    let second = plus.map { ($0.input.operand, $0.weight.operand) }
    if let (u, v) = second {
      workspace.multiply(
        Matrix(u), Matrix(v, transposed: true), into: MatrixDestination(sums), m: rows,
        n: outputs, k: u.columns, adds: true, ascending: workspace.isBatchInvariant)
      if y.type == .bfloat16 { sums.round(to: y) }
    }
    let (dxPlace, dwPlace) = (gradientPlace, weight.gradientPlace)
    // The input is saved only for the gradient of the weight, which a frozen weight does not have.
    let kept = weight.needsGradient ? SavedTensor(x) : nil
    let (duPlace, dvPlace) = (plus?.input.gradientPlace, plus?.weight.gradientPlace)
    return y.recorded(from: self, weight, bias, plus?.input, plus?.weight) { dy in
      bias?.accumulate { dbias, adds in
        workspace.forEachPart(outputs, cost: rows) { part in
          apus_column_sums(
            dbias + part.lowerBound, dy.pointer + part.lowerBound, outputs, rows, part.count, adds)
        }
      }
      let dy = dy.operand
      dwPlace.accumulate { dw, adds in
        guard let x = kept?.read() else { return }
        let (a, b) = byOutputs ? (dy, x) : (x, dy)
        workspace.multiply(
          Matrix(a, transposed: true), Matrix(b),
          into: MatrixDestination(dw, rowStride: b.columns), m: a.columns, n: b.columns, k: rows,
          adds: adds)
      }
      dxPlace.accumulate { dx, adds in
        workspace.multiply(
          Matrix(dy), Matrix(w, transposed: !byOutputs),
          into: MatrixDestination(dx, rowStride: inputs), m: rows, n: inputs, k: outputs, adds: adds
        )
      }
      guard let (u, v) = second else { return }
      dvPlace?.accumulate { dv, adds in
        workspace.multiply(
          Matrix(dy, transposed: true), Matrix(u),
          into: MatrixDestination(dv, rowStride: u.columns),
          m: outputs, n: u.columns, k: rows, adds: adds)
      }
      duPlace?.accumulate { du, adds in
        workspace.multiply(
          Matrix(dy), Matrix(v), into: MatrixDestination(du, rowStride: u.columns), m: rows,
          n: u.columns, k: outputs, adds: adds)
      }
    }
  }
}
