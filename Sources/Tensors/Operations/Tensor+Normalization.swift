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
    let (rows, columns) = (rows, columns)
    // The statistics of a row are its mean and its inverse standard deviation, [2, rows].
    return normalized(gain, bias, statistics: 2, fp32Output: fp32Output) {
      y, means, x, count in
      apus_layer_norm(
        y, means, means + rows, x, gain.pointer, bias.pointer, count, columns, epsilon)
    } backward: { dx, adds, sums, dy, x, means, count in
      apus_layer_norm_backward(
        dx, adds, sums, sums.map { $0 + columns }, dy, x, means, means + rows, gain.pointer, count,
        columns)
    }
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
    let columns = columns
    // The statistic of a row is its inverse root mean square.
    return normalized(gain, nil, statistics: 1, fp32Output: fp32Output) {
      y, inverses, x, count in
      apus_rms_norm(y, inverses, x, gain.pointer, count, columns, epsilon)
    } backward: { dx, adds, sums, dy, x, inverses, count in
      apus_rms_norm_backward(dx, adds, sums, dy, x, inverses, gain.pointer, count, columns)
    }
  }

  /// Returns a normalization of the rows.
  ///
  /// - Parameters:
  ///   - statistics: Numbers per row that the forward pass saves for the backward pass, as a matrix
  ///     [statistics, rows].
  ///   - forward: Writes some rows and their statistics.
  ///   - backward: Writes the gradient of some rows, or adds it, and adds to the sums of the
  ///     gradients of `gain` and `bias`, [2, columns]; either may be nil.
  private func normalized(
    _ gain: Tensor, _ bias: Tensor?, statistics count: Int, fp32Output: Bool,
    function: String = #function,
    forward:
      @escaping (
        _ y: UnsafeMutablePointer<Float>, _ statistics: UnsafeMutablePointer<Float>,
        _ x: UnsafePointer<Float>, _ rows: Int
      ) -> Void,
    backward:
      @escaping (
        _ dx: UnsafeMutablePointer<Float>?, _ adds: Bool, _ sums: UnsafeMutablePointer<Float>?,
        _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ statistics: UnsafePointer<Float>,
        _ rows: Int
      ) -> Void
  ) -> Tensor {
    let (x, columns) = (self, columns)
    let type = fp32Output ? .float32 : Tensor.operandType(in: workspace)
    let normalize = {
      let y = Tensor(uninitialized: x.shape, type: type, in: x.workspace)
      let statistics = Tensor(uninitialized: [count, x.rows], in: x.workspace)
      guard x.count > 0 else { return (y, statistics) }
      Tensor.forEachBlock(of: [y]) { block in
        let first = block.lowerBound
        y.writing(block) {
          forward($0, statistics.pointer + first, x.pointer + first * columns, block.count)
        }
      }
      return (y, statistics)
    }
    let (y, statistics) = normalize()
    guard x.count > 0 else {
      return y.recorded(from: x, gain, bias, function: function) { _ in }
    }
    return y.recorded(from: x, gain, bias, function: function) { dy in
      let derive = { (dx: UnsafeMutablePointer<Float>?, adds: Bool) in
        Tensor.sumOverRows(of: x, into: [gain, bias].compactMap(\.self)) { block, sums in
          let start = block.lowerBound * columns
          backward(
            dx.map { $0 + start }, adds, sums, dy.pointer + start, x.pointer + start,
            statistics.pointer + block.lowerBound, block.count)
        }
      }
      if x.needsGradient { x.accumulate(derive) } else { derive(nil, false) }
    }.recomputed { normalize().0 }
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
