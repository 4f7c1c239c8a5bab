import RandomNumbers

@testable import Tensors

/// Values in (−1.5, 1.5), a pure function of the tag.
func trialValues(_ count: Int, _ tag: Int) -> [Float] {
  let stream = RandomStream(seed: 7, purpose: .trial, tag)
  return (0..<count).map { (stream.uniform(UInt64($0)) - 0.5) * 3 }
}

extension Workspace {
  /// A tensor of trial values whose memory begins `skew` elements after an aligned address.
  func trial(_ shape: [Int], _ tag: Int, skew: Int = 0) -> Tensor {
    let count = shape.reduce(1, *)
    let whole = Tensor(
      [Float](repeating: .nan, count: skew) + trialValues(count, tag), shape: [skew + count],
      in: self)
    return whole[rows: skew..<skew + count].reshaped(shape)
  }

  /// Derivatives at `points` of Σ slope·y, where y = `operation(points)`.
  func gradients(
    _ points: [Tensor], slopes: [Float], _ operation: ([Tensor]) -> Tensor
  ) -> [[Float]] {
    let (_, gradients) = valueWithGradient(at: points) { starts in
      let y = operation(starts)
      return (y * Tensor(slopes, shape: y.shape, in: self)).sum()
    }
    return zip(points, gradients).map { $1?.values ?? [Float](repeating: 0, count: $0.count) }
  }
}

/// The largest difference in units of the last place of the largest expected value.
func worstUlps(_ values: [Float], _ expected: [Double]) -> Double {
  guard values.count == expected.count else { return .infinity }
  let size = max(expected.reduce(0) { max($0, abs($1)) }, Double(Float.leastNormalMagnitude))
  let unit = Double(Float(size).ulp)
  return zip(values, expected).reduce(0.0) { worst, pair in
    let error = abs(Double(pair.0) - pair.1) / unit
    return error.isNaN ? .infinity : max(worst, error)
  }
}

/// The largest difference in units of the last place of each expected value.
func worstUlpsEach(_ values: [Float], _ expected: [Double]) -> Double {
  guard values.count == expected.count else { return .infinity }
  return zip(values, expected).reduce(0.0) { worst, pair in
    max(worst, worstUlps([pair.0], [pair.1]))
  }
}

extension Tensor {
  /// Rounded to bf16 on the tape.
  var asOperand: Tensor {
    let place = gradientPlace
    return operand.recorded(from: self) { place.accumulate(adopting: $0) }
  }

  /// Expanded to fp32 on the tape.
  var asFloats: Tensor {
    let place = gradientPlace
    return expanded.recorded(from: self) { place.accumulate(adopting: $0) }
  }
}
