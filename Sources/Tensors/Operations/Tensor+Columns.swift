import CKernels

extension Tensor {
  /// Returns a copy of the rows `places`: [rows, columns] → [places.count, columns].
  ///
  /// The backward pass adds the gradient of each row to its source, in the order of `places`.
  package func rows(at places: [Int]) -> Tensor {
    let (count, columns) = (count, columns)
    let y = Tensor(uninitialized: [places.count, columns], type: type, in: workspace)
    let bytes = columns * type.stride
    for (new, old) in places.enumerated() {
      precondition(old >= 0 && old < rows, "row \(old) of shape \(shape)")
      (y.base + new * bytes).copyMemory(from: base + old * bytes, byteCount: bytes)
    }
    let place = gradientPlace
    return y.recorded(from: self, bytes: 2 * y.bytes) { dy in
      place.accumulate { dx, adds in
        if !adds { dx.update(repeating: 0, count: count) }
        for (new, old) in places.enumerated() {
          let row = dx + old * columns
          apus_add(row, row, dy.pointer + new * columns, columns)
        }
      }
    }
  }

  /// A copy of the columns `range` of every row: [rows, columns] → [rows, range.count].
  package subscript(columns range: Range<Int>) -> Tensor {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of shape \(shape)")
    let (rows, columns) = (rows, columns)
    let y = Tensor(uninitialized: [rows, range.count], type: type, in: workspace)
    for row in 0..<rows {
      (y.base + row * range.count * type.stride).copyMemory(
        from: base + (row * columns + range.lowerBound) * type.stride,
        byteCount: range.count * type.stride)
    }
    let place = gradientPlace
    return y.recorded(from: self, bytes: 2 * y.bytes) { dy in
      place.accumulate { dx, adds in
        if !adds { dx.update(repeating: 0, count: rows * columns) }
        for row in 0..<rows {
          for column in 0..<range.count {
            dx[row * columns + range.lowerBound + column] += dy.pointer[row * range.count + column]
          }
        }
      }
    }
  }
}
