import CKernels

extension Tensor {
  /// LayerNorm over the last dimension (Ba and others 2016): gain·(x − μ)/σ + bias.
  ///
  /// - Parameters:
  ///   - gain: Shape [columns].
  ///   - bias: Shape [columns].
  ///   - epsilon: Added to the variance.
  ///
  /// The result is stored as products read it.
  public func layerNorm(gain: Tensor, bias: Tensor, epsilon: Float) -> Tensor {
    precondition(
      gain.count == columns && bias.count == columns,
      "layerNorm of \(shape) with gain \(gain.shape) and bias \(bias.shape)")
    let x = self
    let y = Tensor(uninitialized: shape, type: Tensor.operandType(in: workspace), in: workspace)
    let statistics = Tensor(uninitialized: [2, rows], in: workspace)
    let (rows, columns) = (rows, columns)
    guard count > 0 else { return y.recorded(from: x, gain, bias) { _ in } }
    Tensor.forEachBlock(of: [y]) { block in
      y.writing(block) { y in
        apus_layer_norm(
          y, statistics.pointer + block.lowerBound, statistics.pointer + rows + block.lowerBound,
          x.pointer + block.lowerBound * columns, gain.pointer, bias.pointer, block.count, columns,
          epsilon)
      }
    }
    return y.recorded(from: x, gain, bias) { dy in
      Tensor.withSum(gain) { dgain in
        Tensor.withSum(bias) { dbias in
          let backward = { (dx: UnsafeMutablePointer<Float>?, adds: Bool) in
            apus_layer_norm_backward(
              dx, adds, dgain, dbias, dy.pointer, x.pointer, statistics.pointer,
              statistics.pointer + rows, gain.pointer, rows, columns)
          }
          if x.needsGradient { x.accumulate(backward) } else { backward(nil, false) }
        }
      }
    }
  }

  /// RMSNorm over the last dimension (Zhang & Sennrich 2019): gain·x/√(mean(x²) + ε).
  ///
  /// - Parameters:
  ///   - gain: Shape [columns].
  ///   - epsilon: Added to the mean square.
  ///
  /// The result is stored as products read it.
  public func rmsNorm(gain: Tensor, epsilon: Float) -> Tensor {
    precondition(gain.count == columns, "rmsNorm of \(shape) with gain \(gain.shape)")
    let x = self
    let y = Tensor(uninitialized: shape, type: Tensor.operandType(in: workspace), in: workspace)
    let inverse = Tensor(uninitialized: [rows], in: workspace)
    let (rows, columns) = (rows, columns)
    guard count > 0 else { return y.recorded(from: x, gain) { _ in } }
    Tensor.forEachBlock(of: [y]) { block in
      y.writing(block) { y in
        apus_rms_norm(
          y, inverse.pointer + block.lowerBound, x.pointer + block.lowerBound * columns,
          gain.pointer, block.count, columns, epsilon)
      }
    }
    return y.recorded(from: x, gain) { dy in
      Tensor.withSum(gain) { dgain in
        let backward = { (dx: UnsafeMutablePointer<Float>?, adds: Bool) in
          apus_rms_norm_backward(
            dx, adds, dgain, dy.pointer, x.pointer, inverse.pointer, gain.pointer, rows, columns)
        }
        if x.needsGradient { x.accumulate(backward) } else { backward(nil, false) }
      }
    }
  }

  /// A destination for sums over rows: the derivative of `parameter`, zeroed if it is the first
  /// contribution, or scratch memory when no derivative is wanted.
  static func withSum(_ parameter: Tensor, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    parameter.withGradient { destination, adds in
      if !adds { destination.update(repeating: 0, count: parameter.count) }
      body(destination)
    }
  }
}
