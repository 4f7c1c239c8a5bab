import CKernels

/// Functions of single elements and rows given with their derivatives, for losses.
extension Tensor {
  /// Applies `function` to every element; the shape stays the same.
  ///
  /// - Parameter function: Returns the value for element `index` with the number `x`, and the
  ///   derivative with respect to `x`.
  package func elementwise(
    _ function: (_ index: Int, _ x: Float) -> (value: Float, derivative: Float)
  ) -> Tensor {
    let y = Tensor(uninitialized: shape, in: workspace)
    let isRecorded = workspace.isRecording && needsGradient
    let derivatives = Tensor(uninitialized: isRecorded ? shape : [0], in: workspace)
    for index in 0..<count {
      let result = function(index, pointer[index])
      y.pointer[index] = result.value
      if isRecorded { derivatives.pointer[index] = result.derivative }
    }
    let place = gradientPlace
    return y.recorded(from: self) { dy in
      place.accumulate { dx, adds in
        apus_multiply(dx, dy.pointer, derivatives.pointer, dy.count, adds)
      }
    }
  }

  /// Applies `function` to every row: [rows, columns] → [rows].
  ///
  /// - Parameter function: Returns the value for row `row` with the numbers `x` and writes the
  ///   derivatives with respect to each of them to `derivatives`.
  package func rowwise(
    _ function: (
      _ row: Int, _ x: UnsafeBufferPointer<Float>, _ derivatives: UnsafeMutableBufferPointer<Float>
    ) -> Float
  ) -> Tensor {
    let (rows, columns) = (rows, columns)
    let y = Tensor(uninitialized: [rows], in: workspace)
    let isRecorded = workspace.isRecording && needsGradient
    // Without a tape all rows write to the same memory.
    let derivatives = Tensor(uninitialized: [isRecorded ? rows : 1, columns], in: workspace)
    for row in 0..<rows {
      y.pointer[row] = function(
        row, UnsafeBufferPointer(start: pointer + row * columns, count: columns),
        UnsafeMutableBufferPointer(
          start: derivatives.pointer + (isRecorded ? row * columns : 0), count: columns))
    }
    let place = gradientPlace
    return y.recorded(from: self) { dy in
      place.accumulate { dx, adds in
        for row in 0..<rows {
          let start = row * columns
          apus_scale(dx + start, derivatives.pointer + start, dy.pointer[row], columns, adds)
        }
      }
    }
  }

  /// Returns the sum of the elements in each of `ranges`, added in order in 64 bits:
  /// [n] → [ranges.count].
  package func sums(over ranges: [Range<Int>]) -> Tensor {
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
