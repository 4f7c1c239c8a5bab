import CKernels

extension Tensor {
  /// The sum of all elements, a scalar; added in 64 bits.
  public func sum() -> Tensor {
    let y = Tensor([Float(apus_sum(pointer, count))], shape: [], in: workspace)
    let (place, shape, count) = (gradientPlace, shape, count)
    return y.recorded(from: self) { dy in
      let slope = dy.scalar
      place.accumulate { dx, adds in
        if adds {
          let ones = Tensor(repeating: slope, shape: shape, in: place.workspace)
          apus_add(dx, dx, ones.pointer, count)
        } else {
          apus_fill(dx, slope, count)
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
    let place = gradientPlace
    return y.recorded(from: self) { dy in
      place.accumulate { dx, adds in
        guard y.count > 0 else { return }
        apus_softmax_backward(dx, y.pointer, dy.pointer, y.rows, y.columns, adds)
      }
    }
  }
}

extension Tensor {
  /// The sum of all elements in 64 bits, off the tape.
  public var total: Double { apus_sum(pointer, count) }
}
