import Layers
import Models
import Testing

@testable import Tensors

/// Examples packed into a sequence, compared with each example alone, through whole models.
@Suite struct PackedExamplesTests {
  static let families = ["gpt2", "llama", "gemma3"]
  /// Two sequences of 200 tokens; a block of the blocked attention has 64.
  static let lengths = [[1, 70, 64, 65], [129, 3, 68]]

  private struct Bound {
    let workspace = Workspace()
    let layout: ParameterLayout
    let model: any LanguageModel

    init(_ family: String) throws {
      var new = NewModel(family: try #require(ModelFamilies.all.first { $0.name == family }))
      (new.layers, new.heads, new.width) = (2, family == "gpt2" ? 2 : 4, family == "gpt2" ? 16 : 24)
      (new.keyHeads, new.typedContext) = (2, 200)
      let configuration = try new.configuration(NewModelIds(count: 29, endOfText: 0) { _ in nil })
      layout = configuration.layout
      let values = FlatBuffer(count: layout.count)
      layout.initialize(values.elements, seed: 3)
      for entry in layout.entries where entry.decays {
        for place in entry.range { values.elements[place] *= 10 }
      }
      model = workspace.bind(layout, values: values, configuration.build)
    }

    /// Returns the logits, and the gradient of the summed loss.
    func logits(
      _ ids: [Int32], sequences: Int, starts: [Int32], adding gradients: FlatBuffer,
      _ recomputation: Recomputation = .none
    ) -> [Float] {
      let pass = ForwardPass(sequences: sequences, recomputation: recomputation, starts: starts)
      let logits = model.logits(ids, pass).values
      let fresh = FlatBuffer(count: layout.count)
      workspace.beginGradients(into: fresh)
      workspace.backward(
        from: workspace.recording {
          model.hidden(ids, pass)
            .crossEntropy(head: model.head.weight, targets: ids.map { ($0 * 5 + 1) % 29 }).sum()
        }
      ) { _ in }
      for place in gradients.elements.indices { gradients.elements[place] += fresh.elements[place] }
      return logits
    }
  }

  private func worst(_ values: some Sequence<Float>, _ expected: some Sequence<Float>) -> Float {
    let size = expected.reduce(0) { max($0, abs($1)) }
    return zip(values, expected).reduce(0) { max($0, abs($1.0 - $1.1)) } / size
  }

  @Test(arguments: families, Recomputation.allCases)
  func packedExamplesEqualSingleOnes(family: String, recomputation: Recomputation) throws {
    let bound = try Bound(family)
    let ids = (0..<400).map { Int32($0 * $0 % 29) }
    var starts: [Int32] = []
    var ranges: [Range<Int>] = []
    for (sequence, lengths) in Self.lengths.enumerated() {
      for length in lengths {
        let start = starts.count
        ranges.append(start..<start + length)
        starts += [Int32](repeating: Int32(start - 200 * sequence), count: length)
      }
    }
    let gradient = FlatBuffer(count: bound.layout.count)
    let packed = bound.logits(ids, sequences: 2, starts: starts, adding: gradient, recomputation)
    let sum = FlatBuffer(count: bound.layout.count)
    var worstLogits: Float = 0
    for range in ranges {
      let alone = bound.logits(Array(ids[range]), sequences: 1, starts: [], adding: sum)
      let error = worst(packed[range.lowerBound * 29..<range.upperBound * 29], alone)
      worstLogits = max(worstLogits, error)
    }
    let worstGradient =
      bound.layout.entries.map {
        worst(gradient.elements[$0.range], sum.elements[$0.range])
      }.max() ?? .infinity
    print("\(family): worst error of the logits \(worstLogits), of the gradients \(worstGradient)")
    #expect(worstLogits <= 1e-6)
    #expect(worstGradient <= 1e-5)
    // Without the starts, the examples attend to each other.
    let mixed = bound.logits(ids, sequences: 2, starts: [], adding: sum)
    #expect(worst(mixed, packed) > 0.01)
  }
}
