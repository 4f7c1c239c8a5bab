import Glibc
import RandomNumbers
import Testing

@testable import Tensors

/// The vectorised Philox of the kernels produces the words of `RandomStream`, and the forward and
/// backward pass draw the same mask.
@Suite struct DropoutMaskTests {
  let workspace = Workspace()
  let stream = RandomStream(seed: 0x1234_5678_9ABC_DEF0, purpose: .dropout, 5, 6, 7)

  @Test(arguments: Array(0...40) + [63, 64, 65, 127, 128, 129, 1000])
  func anElementIsKeptWhereItsWordReachesTheThreshold(size: Int) {
    for rate in [0.1, 0.5, 0.9] as [Float] {
      let mask = DropoutMask(rate: rate, stream: stream)
      let threshold = UInt32(Double(rate) * 0x1p32)
      let x = workspace.probe([size], 1)
      let expected = (0..<size).map {
        stream.word(UInt64($0)) >= threshold ? x.values[$0] * (1 / (1 - rate)) : 0
      }
      #expect(x.dropout(mask).values == expected)
    }
  }

  /// Counters past 2³² words and past 2³² blocks.
  @Test(arguments: [4, 64, 1 << 20, 1 << 32, (1 << 34) - 32, 1 << 40])
  func masksMatchTheStreamAtLargeOffsets(first: Int) {
    let mask = DropoutMask(rate: 0.5, stream: stream)
    let x = Tensor(repeating: 1, shape: [100], in: workspace)
    let y = Tensor(repeating: 0, shape: [100], in: workspace)
    mask.apply(y.pointer, x.pointer, count: 100, first: first)
    let expected = (0..<100).map { stream.word(UInt64(first + $0)) >= 1 << 31 ? Float(2) : 0 }
    #expect(y.values == expected)
  }

  /// The normal numbers depend on every bit of a word; 9,001 is more than two of their chunks.
  @Test(arguments: [0, 1, 2, 37, 4096, 4097, 9001])
  func normalNumbersUseTheStreamsWords(size: Int) {
    let values = Tensor(repeating: 0, shape: [size], in: workspace)
    fillNormal(
      UnsafeMutableBufferPointer(start: values.pointer, count: size), std: 0.5, from: stream)
    let expected = (0..<size).map { place in
      let first = (Double(stream.word(UInt64(place / 2 * 2))) + 1) * 0x1p-32
      let angle = 2 * Double.pi * Double(stream.word(UInt64(place / 2 * 2 + 1))) * 0x1p-32
      let radius = (-2 * log(first)).squareRoot() * 0.5
      return Float(radius * (place % 2 == 0 ? cos(angle) : sin(angle)))
    }
    #expect(values.values == expected)
  }

  @Test func normalNumbersHaveTheExpectedMoments() {
    let count = 40_000
    let values = Tensor(repeating: 0, shape: [count], in: workspace)
    fillNormal(
      UnsafeMutableBufferPointer(start: values.pointer, count: count), std: 2, from: stream)
    let numbers = values.values.map(Double.init)
    let mean = numbers.reduce(0, +) / Double(count)
    let variance = numbers.reduce(0) { $0 + $1 * $1 } / Double(count)
    #expect(abs(mean) < 0.04)
    #expect(abs(variance - 4) < 0.1)
    let within = numbers.filter { abs($0) < 2 }.count
    #expect(abs(Double(within) / Double(count) - 0.6827) < 0.01)
  }

  @Test(arguments: [1, 31, 40, 200]) func backwardDrawsTheSameMask(size: Int) {
    let mask = DropoutMask(rate: 0.4, stream: stream)
    let ones = Tensor(repeating: 1, shape: [size], in: workspace)
    let forward = ones.dropout(mask).values
    let outputGradient = [Float](repeating: 1, count: size)
    #expect(
      workspace.gradients([ones], outputGradient: outputGradient) { $0[0].dropout(mask) } == [
        forward
      ])
    let twice = workspace.gradients([ones], outputGradient: outputGradient) {
      $0[0].dropout(mask) + $0[0].dropout(mask)
    }
    #expect(twice == [forward.map { 2 * $0 }])
  }

  /// With one-hot values the result is the masked probabilities, and the gradient of the values is
  /// their sum over the queries.
  ///
  /// 70 positions are more than a block of queries.
  @Test(arguments: [(5, 5), (70, 70), (3, 9)]) func attentionDrawsTheSameMask(
    queries: Int, keys: Int
  ) {
    let mask = DropoutMask(rate: 0.4, stream: stream)
    let dim = keys
    let q = workspace.probe([queries, dim], 1)
    let k = workspace.probe([keys, dim], 2)
    let identity = (0..<keys * dim).map { Float($0 / dim == $0 % dim ? 1 : 0) }
    let v = Tensor(identity, shape: [keys, dim], in: workspace)
    let attention = { (values: Tensor, mask: DropoutMask?) in
      q.attention(
        keys: k, values: values, sequences: 1, heads: 1, keyHeads: 1, dropout: mask)
    }
    let plain = attention(v, nil).values
    let dropped = attention(v, mask).values
    var zeros = 0
    for row in 0..<queries {
      for column in 0...keys - queries + row {
        let place = row * dim + column
        if dropped[place] == 0 { zeros += 1 }
        #expect(
          dropped[place] == 0 || abs(dropped[place] * 0.6 / plain[place] - 1) < 1e-5,
          "row \(row), column \(column)")
      }
      #expect((keys - queries + row + 1..<keys).allSatisfy { dropped[row * dim + $0] == 0 })
    }
    let visible = queries * (keys - queries) + queries * (queries + 1) / 2
    #expect(abs(Double(zeros) / Double(visible) - 0.4) < 2 / Double(visible).squareRoot())
    let outputGradient = [Float](repeating: 1, count: queries * dim)
    let dv = workspace.gradients([v], outputGradient: outputGradient) { attention($0[0], mask) }[0]
    for column in 0..<keys {
      let sum = (0..<queries).reduce(0) { $0 + dropped[$1 * dim + column] }
      #expect(abs(dv[column * dim] - sum) < 1e-4)
    }
  }
}
