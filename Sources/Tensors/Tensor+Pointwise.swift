import CKernels

/// Functions of few numbers, given with their derivatives: what losses are made of.
extension Tensor {
  /// `function` of every element: any shape to the same shape.
  ///
  /// - Parameter function: The value at element `index`, which is `x`, and its derivative by `x`.
  public func elementwise(
    _ function: (_ index: Int, _ x: Float) -> (value: Float, slope: Float)
  ) -> Tensor {
    let y = Tensor(uninitialized: shape, in: workspace)
    let isRecorded = workspace.isRecording && needsGradient
    let slopes = Tensor(uninitialized: isRecorded ? shape : [0], in: workspace)
    for index in 0..<count {
      let result = function(index, pointer[index])
      y.pointer[index] = result.value
      if isRecorded { slopes.pointer[index] = result.slope }
    }
    let place = gradientPlace
    return y.recorded(from: self) { dy in
      place.accumulate { dx, adds in
        apus_multiply(dx, dy.pointer, slopes.pointer, dy.count, adds)
      }
    }
  }

  /// `function` of every row: [rows, columns] → [rows].
  ///
  /// - Parameter function: The value of row `row`, whose numbers are `x`; it writes the derivatives
  ///   by each of them into `slopes`.
  public func rowwise(
    _ function: (
      _ row: Int, _ x: UnsafeBufferPointer<Float>, _ slopes: UnsafeMutableBufferPointer<Float>
    ) -> Float
  ) -> Tensor {
    let (rows, columns) = (rows, columns)
    let y = Tensor(uninitialized: [rows], in: workspace)
    let isRecorded = workspace.isRecording && needsGradient
    // Without a tape every row writes to the same place.
    let slopes = Tensor(uninitialized: [isRecorded ? rows : 1, columns], in: workspace)
    for row in 0..<rows {
      y.pointer[row] = function(
        row, UnsafeBufferPointer(start: pointer + row * columns, count: columns),
        UnsafeMutableBufferPointer(
          start: slopes.pointer + (isRecorded ? row * columns : 0), count: columns))
    }
    let place = gradientPlace
    return y.recorded(from: self) { dy in
      place.accumulate { dx, adds in
        for row in 0..<rows {
          let start = row * columns
          apus_scale(dx + start, slopes.pointer + start, dy.pointer[row], columns, adds)
        }
      }
    }
  }

  /// The sum of the elements in each of `ranges`, added in order in 64 bits: [n] → [ranges.count].
  public func sums(over ranges: [Range<Int>]) -> Tensor {
    let y = Tensor(uninitialized: [ranges.count], in: workspace)
    for (place, range) in ranges.enumerated() {
      precondition(
        range.lowerBound >= 0 && range.upperBound <= count, "elements \(range) of shape \(shape)")
      y.pointer[place] = Float(range.reduce(0.0) { $0 + Double(pointer[$1]) })
    }
    let (place, count) = (gradientPlace, count)
    return y.recorded(from: self) { dy in
      place.accumulate { dx, adds in
        if !adds { dx.update(repeating: 0, count: count) }
        for (place, range) in ranges.enumerated() {
          for index in range { dx[index] += dy.pointer[place] }
        }
      }
    }
  }
}
