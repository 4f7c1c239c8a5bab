import Testing

@testable import Tensors

/// A team of one thread that runs the iterations in reverse order and on different lanes.
private final class BackwardsTeam: Team {
  let size = 3
  private(set) var calls = 0

  func run(_ count: Int, _ body: (Int, Int) -> Void) {
    calls += 1
    for index in (0..<count).reversed() { body(index, index % size) }
  }
}

/// A team does not change the bits of any operation.
@Suite struct TeamTests {
  private func expectSameBits(
    _ shapes: [[Int]], _ precision: Precision, _ location: SourceLocation = #_sourceLocation,
    _ operation: ([Tensor]) -> Tensor
  ) {
    func run(_ team: (any Team)?) -> [[UInt32]] {
      let workspace = Workspace(precision: precision, team: team)
      let points = shapes.enumerated().map { workspace.probe($1, $0) }
      var values: [Float] = []
      let (_, gradients) = valueWithGradient(at: points) { starts in
        let y = operation(starts)
        values = y.values
        let outputGradient = workspace.probe([y.columns, 1], 99)
        return y.linear(weight: outputGradient, order: .inputsByOutputs, fp32Output: true).sum()
      }
      return ([values] + gradients.map { $0?.values ?? [] }).map { $0.map(\.bitPattern) }
    }
    let team = BackwardsTeam()
    let isEqual = run(nil) == run(team)
    #expect(isEqual, sourceLocation: location)
    #expect(team.calls > 0, "the team was not used", sourceLocation: location)
  }

  @Test(arguments: Precision.allCases) func operationsHaveTheSameBitsWithATeam(precision: Precision)
  {
    expectSameBits([[150, 130], [130, 700], [700]], precision) {
      $0[0].linear(weight: $0[1], order: .inputsByOutputs, bias: $0[2]).gelu()
    }
    // Several panels of columns and two of rows, also in fp32.
    expectSameBits([[530, 40], [40, 1300], [1300, 90]], precision) {
      $0[0].linear(weight: $0[1], order: .inputsByOutputs)
        .linear(weight: $0[2], order: .inputsByOutputs)
    }
    expectSameBits([[150, 130], [300, 130], [300, 130]], precision) {
      $0[0].linear(weight: $0[1], order: .outputsByInputs)
        .swiGLU($0[0].linear(weight: $0[2], order: .outputsByInputs))
    }
    expectSameBits([[150, 130], [300, 130], [300, 130]], precision) {
      $0[0].linear(weight: $0[1], order: .outputsByInputs).relu()
        .geGLU($0[0].linear(weight: $0[2], order: .outputsByInputs))
    }
    expectSameBits([[150, 130], [150, 130], [130], [130]], precision) {
      ($0[0] + $0[1]).layerNorm(gain: $0[2], bias: $0[3], epsilon: 1e-5)
    }
    expectSameBits([[150, 130], [130]], precision) { $0[0].rmsNorm(gain: $0[1], epsilon: 1e-5) }
    expectSameBits([[300, 130], [150, 130]], precision) {
      $0[0].crossEntropy(head: $0[1], targets: (0..<300).map { Int32($0 % 150) })
        .reshaped([300, 1])
    }
  }

  @Test(arguments: Precision.allCases) func attentionHasTheSameBitsWithATeam(precision: Precision) {
    let mask = DropoutMask(rate: 0.2, stream: .init(seed: 3, purpose: .dropout, 1))
    let table = RotaryTable(dim: 32, positions: 100, base: 10_000)
    let positions = (0..<200).map { Int32($0 % 100) }
    expectSameBits([[200, 40], [40, 128], [40, 64], [40, 64]], precision) {
      let q = $0[0].linear(weight: $0[1], order: .inputsByOutputs)
      let k = $0[0].linear(weight: $0[2], order: .inputsByOutputs)
      let v = $0[0].linear(weight: $0[3], order: .inputsByOutputs)
      return q.rotated(table, positions: positions).attention(
        keys: k.rotated(table, positions: positions), values: v, sequences: 2, heads: 4,
        keyHeads: 2, dropout: mask)
    }
    expectSameBits([[200, 40], [40, 128], [40, 64], [40, 64], [32, 4]], precision) {
      let q = $0[0].linear(weight: $0[1], order: .inputsByOutputs)
      let k = $0[0].linear(weight: $0[2], order: .inputsByOutputs)
      let v = $0[0].linear(weight: $0[3], order: .inputsByOutputs)
      let buckets = RelativeBuckets(count: 32, maximumDistance: 128, isBidirectional: true)
      return q.attention(
        keys: k, values: v, sequences: 2, heads: 4, keyHeads: 2, dropout: mask, reach: .full,
        keyLengths: [70, 100], scale: 1, bias: RelativeBias($0[4], buckets: buckets))
    }
    expectSameBits([[200, 40], [40, 192]], precision) {
      $0[0].linear(weight: $0[1], order: .inputsByOutputs)
        .packedCausalAttention(sequences: 2, heads: 2, dropout: mask)
    }
  }
}
