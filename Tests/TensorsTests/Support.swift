import RandomNumbers

@testable import Tensors

/// Returns pseudo-random values in (−1.5, 1.5), a pure function of the tag.
func probeValues(_ count: Int, _ tag: Int) -> [Float] {
  let stream = RandomStream(seed: 7, purpose: .probe, tag)
  return (0..<count).map { (stream.uniform(UInt64($0)) - 0.5) * 3 }
}

extension Workspace {
  /// Returns a tensor of probe values whose memory begins `skew` elements after an aligned address.
  func probe(_ shape: [Int], _ tag: Int, skew: Int = 0) -> Tensor {
    let count = shape.reduce(1, *)
    let whole = Tensor(
      [Float](repeating: .nan, count: skew) + probeValues(count, tag), shape: [skew + count],
      in: self)
    return whole[rows: skew..<skew + count].reshaped(shape)
  }

  /// Returns the gradients at `points` of Σ outputGradient·y, where y = `operation(points)`.
  func gradients(
    _ points: [Tensor], outputGradient: [Float], _ operation: ([Tensor]) -> Tensor
  ) -> [[Float]] {
    let (_, gradients) = valueWithGradient(at: points) { starts in
      let y = operation(starts)
      return (y * Tensor(outputGradient, shape: y.shape, in: self)).sum()
    }
    return zip(points, gradients).map { $1?.values ?? [Float](repeating: 0, count: $0.count) }
  }
}

/// Returns the largest error in ulps of the largest expected value.
func worstUlps(_ values: [Float], _ expected: [Double]) -> Double {
  guard values.count == expected.count else { return .infinity }
  let size = max(expected.reduce(0) { max($0, abs($1)) }, Double(Float.leastNormalMagnitude))
  let unit = Double(Float(size).ulp)
  return zip(values, expected).reduce(0.0) { worst, pair in
    let error = abs(Double(pair.0) - pair.1) / unit
    return error.isNaN ? .infinity : max(worst, error)
  }
}

/// Returns the largest error in ulps of the respective expected value.
func worstUlpsEach(_ values: [Float], _ expected: [Double]) -> Double {
  guard values.count == expected.count else { return .infinity }
  return zip(values, expected).reduce(0.0) { worst, pair in
    max(worst, worstUlps([pair.0], [pair.1]))
  }
}

extension Tensor {
  /// This tensor rounded to bf16, on the tape.
  var asOperand: Tensor {
    let place = gradientPlace
    return operand.recorded(from: self) { place.accumulate(adopting: $0) }
  }

  /// This tensor expanded to fp32, on the tape.
  var asFloats: Tensor {
    let place = gradientPlace
    return expanded.recorded(from: self) { place.accumulate(adopting: $0) }
  }
}
