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

  /// The sum of all elements in 64 bits, not recorded.
  package var total: Double { apus_sum(pointer, count) }
}
