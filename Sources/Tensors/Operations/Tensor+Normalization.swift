import CKernels

extension Tensor {
  /// Returns LayerNorm over the last dimension (Ba and others 2016): gain·(x − μ)/σ + bias.
  ///
  /// - Parameters:
  ///   - gain: Shape [columns].
  ///   - bias: Shape [columns].
  ///   - epsilon: Added to the variance.
  ///   - fp32Output: True to return fp32 also in bf16 precision, for results that sums read.
  ///     Otherwise the result has the operand type of products.
  package func layerNorm(
    gain: Tensor, bias: Tensor, epsilon: Float, fp32Output: Bool = false
  ) -> Tensor {
    precondition(
      gain.count == columns && bias.count == columns,
      "layerNorm of \(shape) with gain \(gain.shape) and bias \(bias.shape)")
    let x = self
    let (y, statistics) = x.layerNormValues(gain, bias, epsilon, fp32Output)
    let (rows, columns) = (rows, columns)
    guard count > 0 else { return y.recorded(from: x, gain, bias) { _ in } }
    return y.recorded(from: x, gain, bias) { dy in
      let backward = { (dx: UnsafeMutablePointer<Float>?, adds: Bool) in
        Tensor.sumOverRows(of: x, into: [gain, bias]) { block, sums in
          let start = block.lowerBound * columns
          apus_layer_norm_backward(
            dx.map { $0 + start }, adds, sums, sums.map { $0 + columns }, dy.pointer + start,
            x.pointer + start, statistics.pointer + block.lowerBound,
            statistics.pointer + rows + block.lowerBound, gain.pointer, block.count, columns)
        }
      }
      if x.needsGradient { x.accumulate(backward) } else { backward(nil, false) }
    }.recomputed { x.layerNormValues(gain, bias, epsilon, fp32Output).y }
  }

  /// Returns the result, and the means and inverse standard deviations of the rows, [2, rows].
  private func layerNormValues(_ gain: Tensor, _ bias: Tensor, _ epsilon: Float, _ fp32Output: Bool)
    -> (y: Tensor, statistics: Tensor)
  {
    let type = fp32Output ? .float32 : Tensor.operandType(in: workspace)
    let y = Tensor(uninitialized: shape, type: type, in: workspace)
    let statistics = Tensor(uninitialized: [2, rows], in: workspace)
    guard count > 0 else { return (y, statistics) }
    Tensor.forEachBlock(of: [y]) { block in
      y.writing(block) { y in
        apus_layer_norm(
          y, statistics.pointer + block.lowerBound, statistics.pointer + rows + block.lowerBound,
          pointer + block.lowerBound * columns, gain.pointer, bias.pointer, block.count, columns,
          epsilon)
      }
    }
    return (y, statistics)
  }

  /// Returns RMSNorm over the last dimension (Zhang & Sennrich 2019): gain·x/√(mean(x²) + ε).
  ///
  /// - Parameters:
  ///   - gain: Shape [columns].
  ///   - epsilon: Added to the mean square.
  ///   - fp32Output: True to return fp32 also in bf16 precision, for results that sums read.
  ///     Otherwise the result has the operand type of products.
  package func rmsNorm(gain: Tensor, epsilon: Float, fp32Output: Bool = false) -> Tensor {
    precondition(gain.count == columns, "rmsNorm of \(shape) with gain \(gain.shape)")
    let x = self
    let (y, inverse) = x.rmsNormValues(gain, epsilon, fp32Output)
    let columns = columns
    guard count > 0 else { return y.recorded(from: x, gain) { _ in } }
    return y.recorded(from: x, gain) { dy in
      let backward = { (dx: UnsafeMutablePointer<Float>?, adds: Bool) in
        Tensor.sumOverRows(of: x, into: [gain]) { block, sums in
          let start = block.lowerBound * columns
          apus_rms_norm_backward(
            dx.map { $0 + start }, adds, sums, dy.pointer + start, x.pointer + start,
            inverse.pointer + block.lowerBound, gain.pointer, block.count, columns)
        }
      }
      if x.needsGradient { x.accumulate(backward) } else { backward(nil, false) }
    }.recomputed { x.rmsNormValues(gain, epsilon, fp32Output).y }
  }

  /// Returns the result, and the inverse root mean squares of the rows, [rows].
  private func rmsNormValues(_ gain: Tensor, _ epsilon: Float, _ fp32Output: Bool)
    -> (y: Tensor, inverse: Tensor)
  {
    let type = fp32Output ? .float32 : Tensor.operandType(in: workspace)
    let y = Tensor(uninitialized: shape, type: type, in: workspace)
    let inverse = Tensor(uninitialized: [rows], in: workspace)
    guard count > 0 else { return (y, inverse) }
    Tensor.forEachBlock(of: [y]) { block in
      y.writing(block) { y in
        apus_rms_norm(
          y, inverse.pointer + block.lowerBound, pointer + block.lowerBound * columns,
          gain.pointer, block.count, columns, epsilon)
      }
    }
    return (y, inverse)
  }

  /// Adds sums over the rows of `x` to the gradients of `parameters`.
  ///
  /// - Parameter body: Adds the rows of one block of fixed size to its sums, [parameters, columns].
  ///   The sums of the blocks are added in order, so the bits do not depend on the threads. `sums`
  ///   is nil when no parameter needs a gradient.
  private static func sumOverRows(
    of x: Tensor, into parameters: [Tensor],
    _ body: (_ rows: Range<Int>, _ sums: UnsafeMutablePointer<Float>?) -> Void
  ) {
    let (workspace, rows, columns) = (x.workspace, x.rows, x.columns)
    let size = 64
    let blocks = (rows + size - 1) / size
    guard parameters.contains(where: \.needsGradient) else {
      return workspace.forEach(blocks) { block, _ in
        body(block * size..<min(rows, (block + 1) * size), nil)
      }
    }
    let width = parameters.count * columns
    workspace.withScratch(blocks * width) { sums in
      workspace.forEach(blocks) { block, _ in
        (sums + block * width).update(repeating: 0, count: width)
        body(block * size..<min(rows, (block + 1) * size), sums + block * width)
      }
      for (place, parameter) in parameters.enumerated() {
        parameter.accumulate { destination, adds in
          if !adds { destination.update(repeating: 0, count: columns) }
          for block in 0..<blocks {
            apus_add(
              destination, destination, sums + block * width + place * columns, columns)
          }
        }
      }
    }
  }
}
