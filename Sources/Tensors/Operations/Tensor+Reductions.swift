import CKernels

extension Tensor {
  /// Returns the sum of all elements, a scalar, added in 64 bits.
  package func sum() -> Tensor {
    let y = Tensor([Float(apus_sum(pointer, count))], shape: [], in: workspace)
    let (place, shape, count) = (gradientPlace, shape, count)
    return y.recorded(from: self) { dy in
      let gradient = dy.scalar
      place.accumulate { dx, adds in
        if adds {
          let ones = Tensor(repeating: gradient, shape: shape, in: place.workspace)
          apus_add(dx, dx, ones.pointer, count)
        } else {
          apus_fill(dx, gradient, count)
        }
      }
    }
  }

  /// Returns the mean of all elements, a scalar; NaN for an empty tensor.
  package func mean() -> Tensor {
    sum() * (1 / Float(count))
  }

  /// Returns the softmax over the last dimension.
  package func softmax() -> Tensor {
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
  /// The sum of all elements in 64 bits, not recorded.
  package var total: Double { apus_sum(pointer, count) }
}
