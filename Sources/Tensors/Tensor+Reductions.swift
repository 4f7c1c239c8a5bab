import CKernels

extension Tensor {
  /// The sum of all elements, a scalar; added in 64 bits.
  public func sum() -> Tensor {
    let y = Tensor([Float(apus_sum(pointer, count))], shape: [], in: workspace)
    return y.recorded(from: self) { dy in
      let slope = dy.scalar
      self.accumulate { dx, adds in
        if adds {
          let ones = Tensor(repeating: slope, shape: self.shape, in: self.workspace)
          apus_add(dx, dx, ones.pointer, self.count)
        } else {
          apus_fill(dx, slope, self.count)
        }
      }
    }
  }

  /// The mean of all elements, a scalar; undefined (NaN) for an empty tensor.
  public func mean() -> Tensor {
    sum() * (1 / Float(count))
  }

  /// Softmax over the last dimension.
  public func softmax() -> Tensor {
    let y = Tensor(uninitialized: shape, in: workspace)
    if count > 0 { apus_softmax(y.pointer, pointer, rows, columns) }
    return y.recorded(from: self) { dy in
      self.accumulate { dx, adds in
        guard self.count > 0 else { return }
        apus_softmax_backward(dx, y.pointer, dy.pointer, self.rows, self.columns, adds)
      }
    }
  }
}

extension Tensor {
  /// The sum of all elements in 64 bits, off the tape.
  public var total: Double { apus_sum(pointer, count) }
}
