import Checkpoints

/// The comparison of two dumps, tensor by tensor.
package struct DumpComparison: Sendable {
  /// A tensor that both files have.
  package struct Row: Sendable {
    package let name: String
    package let difference: TensorDifference
    /// False when the shapes differ, or the relative error is over the tolerance.
    package let isWithin: Bool
  }

  /// The tensors that both files have, in the order of the passes.
  package private(set) var rows: [Row] = []
  /// The names that only the first file has.
  package let onlyInFirst: [String]
  /// The names that only the second file has.
  package let onlyInSecond: [String]

  /// Compares two safetensors files.
  ///
  /// The order is that of the file that `StepDump` wrote; PyTorch's writer sorts by name. If neither
  /// or both are of `StepDump`, the order is that of the first file.
  ///
  /// - Parameter tolerance: The largest accepted relative error.
  /// - Throws: `CheckpointError` when a tensor of both files is not F32, F16 or BF16.
  package init(
    _ first: SafeTensorsFile, _ second: SafeTensorsFile, tolerance: Float
  ) throws(CheckpointError) {
    let isOrdered = { (file: SafeTensorsFile) in
      file.metadata[StepDump.order.key] == StepDump.order.value
    }
    let (inFirst, inSecond) = (Set(first.names), Set(second.names))
    onlyInFirst = first.names.filter { !inSecond.contains($0) }
    onlyInSecond = second.names.filter { !inFirst.contains($0) }
    let ordered = isOrdered(second) && !isOrdered(first) ? second : first
    for name in ordered.names where inFirst.contains(name) && inSecond.contains(name) {
      let (a, b) = (try first.floats(named: name), try second.floats(named: name))
      let difference = TensorDifference(a, b)
      var isWithin = false
      if case .values(_, let relative, _) = difference { isWithin = relative <= tolerance }
      rows.append(Row(name: name, difference: difference, isWithin: isWithin))
    }
  }

  /// The first tensor that is not within the tolerance.
  package var firstOver: Row? { rows.first { !$0.isWithin } }

  /// True when the files have a tensor in common and all such tensors are within the tolerance.
  package var isWithin: Bool { !rows.isEmpty && firstOver == nil }
}

/// The difference of two tensors.
package enum TensorDifference: Sendable, Equatable {
  /// The largest absolute error, the same relative to the largest finite entry of either tensor, and
  /// the index of the entry that has it; an error with NaN is infinite.
  case values(largest: Float, relative: Float, index: [Int])
  /// The shapes, which differ.
  case shapes([Int], [Int])

  /// The largest entry below which tensors are compared absolutely: a gradient that is zero in exact
  /// arithmetic is rounding noise in both.
  static let noise: Float = 1e-7

  /// Compares two tensors.
  ///
  /// Leading dimensions of size 1, such as that of a batch of one sequence, are ignored.
  init(_ a: (shape: [Int], values: [Float]), _ b: (shape: [Int], values: [Float])) {
    let shape = Array(a.shape.drop { $0 == 1 })
    guard shape == Array(b.shape.drop { $0 == 1 }) else {
      self = .shapes(a.shape, b.shape)
      return
    }
    var (worst, place, size): (Float, Int, Float) = (0, 0, 0)
    for (index, (x, y)) in zip(a.values, b.values).enumerated() {
      for entry in [abs(x), abs(y)] where entry.isFinite { size = max(size, entry) }
      let error = x == y ? 0 : (x - y).isNaN ? .infinity : abs(x - y)
      if error > worst { (worst, place) = (error, index) }
    }
    var index: [Int] = []
    for dimension in shape.reversed() where dimension > 0 {
      index.insert(place % dimension, at: 0)
      place /= dimension
    }
    let relative = worst.isFinite ? worst / (size < Self.noise ? 1 : size) : worst
    self = .values(largest: worst, relative: relative, index: index)
  }
}

extension SafeTensorsFile {
  fileprivate func floats(
    named name: String
  ) throws(CheckpointError) -> (shape: [Int], values: [Float]) {
    let tensor = try tensor(named: name)
    guard tensor.dtype.isFloat else {
      throw .badSafeTensors(
        path: path, reason: "\(name) is \(tensor.dtype.rawValue), not F32, F16 or BF16")
    }
    let count = tensor.shape.reduce(1, *)
    let values = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      tensor.copyFloats(to: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      initialized = count
    }
    return (tensor.shape, values)
  }
}
