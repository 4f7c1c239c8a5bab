import Glibc
import Testing

@testable import Tensors

/// Gradients are passed on by adopting their memory where possible; no path may see the additions
/// of another one.
@Suite struct GradientFlowTests {
  let workspace = Workspace()

  @Test func aValueAddedToItselfHasTheMultipleGradient() {
    let x = workspace.probe([7], 1)
    let d = probeValues(7, 2)
    #expect(workspace.gradients([x], outputGradient: d) { $0[0] + $0[0] } == [d.map { 2 * $0 }])
    #expect(
      workspace.gradients([x], outputGradient: d) { $0[0] + $0[0] + $0[0] + $0[0] }
        == [d.map { 4 * $0 }])
  }

  /// Both operands of a sum adopt one gradient; a later addition to one must not affect the other.
  @Test func operandsOfASumDoNotShareAdditions() {
    let a = workspace.probe([7], 1)
    let b = workspace.probe([7], 2)
    let d = probeValues(7, 3)
    // Backward: the sum passes d to a and b, then the products add to each of them.
    let result = workspace.gradients([a, b], outputGradient: d) { points in
      let early = points[0] * 2 + points[1] * 8
      return early + (points[0] + points[1])
    }
    #expect(result[0] == d.map { $0 + 2 * $0 })
    #expect(result[1] == d.map { $0 + 8 * $0 })
    let other = workspace.gradients([a, b], outputGradient: d) { points in
      let early = points[1] * 8
      return (points[0] + points[1]) + early
    }
    #expect(other[0] == d)
    #expect(other[1] == d.map { $0 + 8 * $0 })
  }

  /// A recomputed operation adds its gradient after those of other operations, as without
  /// recomputation.
  @Test func recomputationKeepsTheOrderOfAdditions() {
    let x = workspace.probe([400], 1)
    let outputGradient = probeValues(400, 2)
    let twice = { (x: Tensor) in x.gelu() + x * 0.3 }
    let direct = workspace.gradients([x], outputGradient: outputGradient) {
      twice($0[0]) + $0[0].gelu()
    }
    let again = workspace.gradients([x], outputGradient: outputGradient) {
      $0[0].recomputed(twice) + $0[0].gelu()
    }
    #expect(direct == again)
  }

  /// The operands of a sum and recomputed values release their memory before the backward pass.
  @Test func theTapeKeepsNoMoreThanItReads() {
    let operations: [(freed: Int, run: (_ x: Tensor, _ gain: Tensor, _ weight: Tensor) -> Tensor)] =
      [
        (1, { x, _, _ in x + x * 2 }),
        (1, { x, _, _ in (x * 2)[columns: 0..<16] }),
        (
          3,
          { x, gain, weight in
            let y = x.rmsNorm(gain: gain, epsilon: 1e-5)
            return y.linear(weight: weight, order: .inputsByOutputs)
              + y.linear(weight: weight, order: .inputsByOutputs)
          }
        ),
        (
          1,
          { x, gain, weight in
            x.layerNorm(gain: gain, bias: gain, epsilon: 1e-5)
              .linear(weight: weight, order: .inputsByOutputs)
          }
        ),
        (1, { x, _, weight in (x * 2).gelu().linear(weight: weight, order: .inputsByOutputs) }),
        (
          1,
          { x, _, weight in
            (x * 2).swiGLU(x * 3).linear(weight: weight, order: .inputsByOutputs)
          }
        ),
      ]
    for (place, operation) in operations.enumerated() {
      let workspace = Workspace()
      let gain = Tensor(repeating: 1, shape: [16], in: workspace).differentiable
      let weight = workspace.probe([16, 16], 2).differentiable
      let x = Tensor(probeValues(1024, 1), shape: [64, 16], in: workspace).differentiable
      let y = workspace.recording { operation.run(x, gain, weight) }
      let allocations = workspace.pool.systemAllocations
      var more: [Tensor] = []
      repeat {
        more.append(Tensor(uninitialized: [64, 16], in: workspace))
      } while workspace.pool.systemAllocations == allocations
      #expect(more.count - 1 == operation.freed, "operation \(place)")
      withExtendedLifetime(y) { workspace.tape = [] }
    }
  }

  /// A value that several operations read is recomputed once for all of them and then released.
  @Test func valuesAreRecomputedOncePerPass() {
    let x = workspace.probe([8, 4], 1)
    let points = (2...4).map { workspace.probe([4, 4], $0) }
    var count = 0
    for passes in 1...2 {
      _ = workspace.gradients(points, outputGradient: probeValues(32, 5)) { points in
        let y = (x * 2).recomputed {
          count += 1
          return x * 2
        }
        return points.map { y.linear(weight: $0, order: .inputsByOutputs) }.reduce(y, +)
      }
      #expect(count == passes)
    }
  }

  @Test func recomputationDoesNotChangeGradients() {
    for precision in Precision.allCases {
      let workspace = Workspace(precision: precision)
      let gain = workspace.probe([16], 3)
      let points = [
        workspace.probe([64, 16], 1), workspace.probe([16, 16], 2), workspace.probe([16, 16], 4),
      ]
      let outputGradient = probeValues(1024, 5)
      let results = [true, false].map { isMadeAgain in
        workspace.gradients(points, outputGradient: outputGradient) { points in
          let keep = { (x: Tensor) in
            isMadeAgain
              ? x : Tensor(shape: x.shape, type: x.type, storage: x.storage, variable: x.variable)
          }
          let y = keep(points[0].rmsNorm(gain: gain, epsilon: 1e-5))
          let maps = points[1...].map { y.linear(weight: $0, order: .inputsByOutputs) }
          return keep(
            keep(maps[0].swiGLU(maps[1])).linear(weight: points[1], order: .inputsByOutputs).gelu()
          )
          .linear(weight: points[2], order: .outputsByInputs, fp32Output: true)
        }
      }
      #expect(results[0] == results[1], "\(precision)")
    }
  }

  /// Residual blocks as in a transformer.
  @Test(arguments: [1, 2, 5]) func residualChains(blocks: Int) {
    let x = workspace.probe([6], 1)
    let d = probeValues(6, 2)
    let result = workspace.gradients([x], outputGradient: d) { points in
      var x = points[0]
      for block in 1...blocks { x = x + x * Float(block) }
      return x
    }
    let factor = (1...blocks).reduce(Float(1)) { $0 * Float(1 + $1) }
    for (got, gradient) in zip(result[0], d) {
      #expect(abs(got - factor * gradient) < 1e-4 * factor)
    }
  }

  /// Views pass gradients on by adopting their memory, too.
  @Test func viewsOfAView() {
    let x = workspace.probe([4, 3], 1)
    let d = probeValues(12, 2)
    let result = workspace.gradients([x], outputGradient: d) { points in
      let flat = points[0].reshaped([12])
      return flat + flat.reshaped([3, 4]).reshaped([12]) * 2 + points[0].reshaped([12])
    }
    for (got, gradient) in zip(result[0], d) { #expect(abs(got - 4 * gradient) < 1e-5) }
    let rows = workspace.gradients([x], outputGradient: Array(d.prefix(6))) { points in
      points[0][rows: 0..<2] + points[0][rows: 1..<3]
    }
    let expected = (0..<12).map { place -> Float in
      (place < 6 ? d[place] : 0) + (3..<9 ~= place ? d[place - 3] : 0)
    }
    #expect(rows == [expected])
    let columns = workspace.gradients([x], outputGradient: Array(d.prefix(8))) { points in
      points[0][columns: 0..<2] + points[0][columns: 1..<3]
    }
    #expect(columns[0][0] == d[0] && columns[0][1] == d[1] + d[0] && columns[0][2] == d[1])
  }

  /// The logits are overwritten by their gradient; another use of the logits has its own gradient.
  @Test func consumedLogitsDoNotSpoilOtherPaths() {
    let x = workspace.probe([2, 5], 1)
    let (value, gradients) = valueWithGradient(at: [x]) { points in
      let scaled = points[0] * 1
      let other = (scaled * 3).sum()
      return other + scaled.crossEntropyConsumingLogits(targets: [1, 2]).sum()
    }
    let probabilities = [x[rows: 0..<1], x[rows: 1..<2]].flatMap { row in
      let powers = row.values.map { Float(exp(Double($0))) }
      return powers.map { $0 / powers.reduce(0, +) }
    }
    for (place, got) in (gradients[0]?.values ?? []).enumerated() {
      let hot: Float = place == 1 || place == 7 ? 1 : 0
      #expect(abs(got - (3 + probabilities[place] - hot)) < 1e-5)
    }
    #expect(value.scalar.isFinite)
  }

  @Test func unusedPointsHaveNoGradient() {
    let x = workspace.probe([3], 1)
    let y = workspace.probe([3], 2)
    let (value, gradients) = valueWithGradient(at: [x, y]) { ($0[0] * 2).sum() }
    #expect(value.scalar == Float((x * 2).total))
    #expect(gradients[0]?.values == [2, 2, 2])
    #expect(gradients[1] == nil)
    let constant = valueWithGradient(at: [x]) { _ in (y * 2).sum() }
    #expect(constant.gradients[0] == nil)
    // The result is the point itself.
    let scalar = Tensor([4], shape: [], in: workspace)
    #expect(valueWithGradient(at: [scalar]) { $0[0] }.gradients[0]?.values == [1])
  }

  @Test func detachedValuesHaveNoGradient() {
    let x = workspace.probe([3], 1)
    let d = probeValues(3, 2)
    let result = workspace.gradients([x], outputGradient: d) { $0[0] * $0[0].detached }
    #expect(result[0] == zip(d, x.values).map(*))
  }

  @Test func resultsOffTheTapeAreNotRecorded() {
    let x = workspace.probe([3], 1).differentiable
    _ = x * x
    #expect(workspace.tape.isEmpty)
    let y = workspace.recording { (x * x).sum() }
    #expect(workspace.tape.count == 2)
    workspace.backward(from: y)
    #expect(workspace.tape.isEmpty)
    #expect(x.variable?.takeGradient()?.values == x.values.map { 2 * $0 })
  }

  @Test func unusedBranchesOfTheTapeAddNothing() {
    let x = workspace.probe([4], 1)
    let (_, gradients) = valueWithGradient(at: [x]) { points in
      _ = (points[0].gelu() * points[0]).sum()
      return points[0].sum()
    }
    #expect(gradients[0]?.values == [1, 1, 1, 1])
  }

  /// Gradients do not change when they are computed again in reused memory.
  @Test func reusedMemoryChangesNothing() {
    let x = workspace.probe([9, 8], 1)
    let gain = workspace.probe([8], 2)
    let d = probeValues(72, 3)
    func once() -> [[Float]] {
      workspace.gradients([x, gain], outputGradient: d) { points in
        let y = points[0].rmsNorm(gain: points[1], epsilon: 1e-3)
        return (y + points[0]).gelu() + y
      }
    }
    let first = once()
    // NaNs fill free blocks of every size in use.
    for size in 1..<200 { _ = Tensor(repeating: .nan, shape: [size], in: workspace) }
    #expect(once() == first)
  }
}
