import Layers
import Models
import Testing

@testable import Tensors

/// Properties of every family: dropout as a function of its position in the run, and the order of
/// the gradients.
@Suite struct LanguageModelTests {
  static let families = [
    "gpt2", "gpt2 untied", "llama", "llama tied", "bert", "t5", "t5 gated", "gemma", "gemma3",
  ]

  private static func configuration(_ family: String, dropout: Float, layers: Int)
    throws -> any ModelConfiguration
  {
    switch family {
    case "gpt2", "gpt2 untied":
      try GPT2Configuration(
        vocabulary: 19, context: 8, layers: layers, heads: 2, width: 12, dropout: dropout,
        tied: family == "gpt2", endOfText: 0)
    case "bert":
      try BERTConfiguration(
        new(.bert, dropout, layers), NewModelIds(count: 19, endOfText: 0) { _ in nil })
    case "t5", "t5 gated":
      try t5(isGated: family != "t5", dropout: dropout, layers: layers)
    case "gemma", "gemma3":
      try gemma(family == "gemma" ? .gemma : .gemma3, dropout: dropout, layers: layers)
    default:
      try LlamaConfiguration(
        vocabulary: 19, context: 8, layers: layers, heads: 4, keyHeads: 2, width: 24,
        dropout: dropout,
        tied: family != "llama", endOfText: 0)
    }
  }

  private static func new(_ family: ModelFamily, _ dropout: Float, _ layers: Int) -> NewModel {
    var new = NewModel(family: family)
    (new.layers, new.heads, new.width) = (layers, 2, 12)
    (new.typedContext, new.dropout) = (8, Double(dropout))
    return new
  }

  private static func t5(isGated: Bool, dropout: Float, layers: Int)
    throws -> any ModelConfiguration
  {
    var new = new(.t5, dropout, layers)
    (new.isGated, new.tied) = (isGated, !isGated)
    var model = try T5Configuration(new, NewModelIds(count: 19, endOfText: 1) { _ in 0 })
    model.headSize = 5
    return model
  }

  private static func gemma(_ family: ModelFamily, dropout: Float, layers: Int)
    throws -> any ModelConfiguration
  {
    var new = new(family, dropout, layers)
    (new.heads, new.keyHeads, new.width) = (4, 2, 24)
    var model = try GemmaConfiguration(new, NewModelIds(count: 19, endOfText: 0) { _ in nil })
    model.window = 3
    return model
  }

  private static let ids = (0..<16).map { Int32($0 * 7 % 19) }
  private static let source = EncoderInput(
    ids: (0..<10).map { Int32($0 * 3 % 19) }, lengths: [5, 3])

  /// A model with random weights, bound to a workspace.
  private struct Bound {
    let workspace = Workspace()
    let layout: ParameterLayout
    let values: FlatBuffer
    let model: any LanguageModel

    init(_ family: String, dropout: Float = 0, layers: Int = 2) throws {
      let configuration = try LanguageModelTests.configuration(
        family, dropout: dropout, layers: layers)
      layout = configuration.layout
      values = FlatBuffer(count: layout.count)
      layout.initialize(values.elements, seed: 3)
      // With initial weights, the sublayers of a block hardly change the logits, except in T5.
      let factor: Float = family.hasPrefix("t5") ? 1 : 10
      for entry in layout.entries where entry.decays {
        for place in entry.range { values.elements[place] *= factor }
      }
      model = workspace.bind(layout, values: values, configuration.build)
    }

    func logits(_ source: DropoutSource?) -> [Float] {
      model.logits(
        LanguageModelTests.ids,
        ForwardPass(sequences: 2, dropout: source, encoderInput: LanguageModelTests.source)
      ).values
    }

    func loss(_ source: DropoutSource? = nil, _ recomputation: Recomputation = .none) -> Tensor {
      let pass = ForwardPass(
        sequences: 2, dropout: source, recomputation: recomputation,
        encoderInput: LanguageModelTests.source)
      return model.logits(LanguageModelTests.ids, pass)
        .crossEntropyConsumingLogits(targets: LanguageModelTests.ids.reversed()).sum()
    }
  }

  @Test(arguments: families) func dropoutIsAFunctionOfSeedStepAndMicroBatch(family: String) throws {
    let bound = try Bound(family, dropout: 0.25)
    let places = [(1, 0, 0), (2, 0, 0), (1, 1, 0), (1, 0, 1), (1, 1, 1)]
    let results = places.map { seed, step, microBatch in
      bound.logits(DropoutSource(seed: UInt64(seed), step: step, microBatch: microBatch))
    }
    for (index, result) in results.enumerated() {
      let (seed, step, microBatch) = places[index]
      let again = try Bound(family, dropout: 0.25).logits(
        DropoutSource(seed: UInt64(seed), step: step, microBatch: microBatch))
      #expect(again == result, "place \(places[index])")
      for other in results[..<index] { #expect(other != result, "place \(places[index])") }
    }
  }

  @Test(arguments: families) func withoutADropoutSourceNothingIsDropped(family: String) throws {
    let plain = try Bound(family).logits(nil)
    #expect(try Bound(family, dropout: 0.25).logits(nil) == plain)
    #expect(
      try Bound(family).logits(DropoutSource(seed: 1, step: 0, microBatch: 0)) == plain)
    #expect(
      try Bound(family, dropout: 0.25).logits(DropoutSource(seed: 1, step: 0, microBatch: 0))
        != plain)
  }

  /// Every dropout site of a network has masks of its own.
  @Test func dropoutSitesHaveDifferentMasks() {
    let workspace = Workspace()
    let pass = ForwardPass(sequences: 1, dropout: DropoutSource(seed: 1, step: 2, microBatch: 3))
    let x = Tensor(repeating: 1, shape: [64], in: workspace)
    let results = (0..<9).map { Dropout(rate: 0.5, site: $0)(x, pass).values }
    for (index, result) in results.enumerated() {
      #expect(!results[..<index].contains(result), "site \(index)")
    }
  }

  /// The gradient with dropout is that of the function with the same masks.
  @Test(arguments: families) func gradientsUseTheMasksOfTheForwardPass(family: String) throws {
    let bound = try Bound(family, dropout: 0.25)
    let source = DropoutSource(seed: 1, step: 2, microBatch: 3)
    let gradients = FlatBuffer(count: bound.layout.count)
    bound.workspace.beginGradients(into: gradients)
    bound.workspace.backward(from: bound.workspace.recording { bound.loss(source) })
    // Along the gradient g the loss rises by |g|² per unit step.
    let square = gradients.elements.reduce(0) { $0 + Double($1) * Double($1) }
    let unit = 0.01 / square.squareRoot()
    func moved(_ distance: Double) -> Double {
      for place in gradients.elements.indices {
        bound.values.elements[place] += Float(distance * Double(gradients.elements[place]))
      }
      return Double(bound.loss(source).scalar)
    }
    let above = moved(unit)
    let below = moved(-2 * unit)
    let derivative = (above - below) / (2 * unit)
    #expect(abs(derivative / square - 1) < 0.01, "derivative \(derivative), |g|² \(square)")
  }

  /// The gradient exchange sends the buffer from its end, so gradients must be reported complete in
  /// descending order of their ranges.
  @Test(arguments: families) func gradientsCompleteFromTheEndOfTheBuffer(family: String) throws {
    let bound = try Bound(family)
    let gradients = FlatBuffer(count: bound.layout.count)
    gradients.elements.update(repeating: 7)
    bound.workspace.beginGradients(into: gradients)
    var order: [Int] = []
    var values: [Int: [Float]] = [:]
    bound.workspace.backward(from: bound.workspace.recording { bound.loss() }) { index in
      order.append(index)
      values[index] = Array(gradients.elements[bound.layout.entries[index].range])
    }
    #expect(order.sorted() == Array(bound.layout.entries.indices))
    // Weight and bias of one operation are complete at the same time; the weight comes first.
    for (place, index) in order.enumerated() {
      let open = Set(bound.layout.entries.indices).subtracting(order[...place])
      #expect(open.allSatisfy { $0 <= index + 1 }, "\(bound.layout.entries[index].name)")
    }
    // The token embedding gets two contributions when the head is tied to it, and is always last.
    #expect(order.last == 0)
    #expect(
      [
        "transformer.wte.weight", "model.embed_tokens.weight",
        "bert.embeddings.word_embeddings.weight", "shared.weight",
      ].contains(bound.layout.entries[0].name))
    var written = Set<Int>()
    for (index, entry) in bound.layout.entries.enumerated() {
      #expect(
        values[index] == Array(gradients.elements[entry.range]), "\(entry.name) changed afterwards")
      written.formUnion(entry.range)
    }
    // No kernel writes past the end of a parameter.
    for place in gradients.elements.indices where !written.contains(place) {
      #expect(gradients.elements[place] == 7, "the gap at \(place)")
    }
  }

  @Test(arguments: families) func recomputationKeepsTheBitsInLessMemory(family: String) throws {
    func gradients(_ recomputation: Recomputation) throws -> (bits: [UInt32], order: [Int], Int) {
      let bound = try Bound(family, dropout: 0.1, layers: 8)
      let gradients = FlatBuffer(count: bound.layout.count)
      let source = DropoutSource(seed: 1, step: 2, microBatch: 3)
      var order: [Int] = []
      bound.workspace.beginGradients(into: gradients)
      let loss = bound.workspace.recording { bound.loss(source, recomputation) }
      bound.workspace.backward(from: loss) { order.append($0) }
      return (gradients.elements.map(\.bitPattern), order, bound.workspace.pool.bytesHeld)
    }
    let (kept, again) = (try gradients(.none), try gradients(.layer))
    #expect(kept.bits == again.bits)
    #expect(Set(again.order) == Set(kept.order) && again.order.count == kept.order.count)
    #expect(again.order.last == 0)
    #expect(again.2 < kept.2 / 2, "\(again.2) bytes, not \(kept.2)")
  }

  /// Activations of the forward pass are aliased into the gradient buffer, in every family.
  @Test(arguments: families, Recomputation.allCases)
  func aliasingActivationsIntoTheGradientBufferKeepsTheBits(
    family: String, recomputation: Recomputation
  ) throws {
    func gradients(smallestArenaAllocation: Int) throws -> (bits: [UInt32], bytes: Int) {
      let bound = try Bound(family, dropout: 0.1, layers: 4)
      let gradients = FlatBuffer(count: bound.layout.count)
      bound.workspace.smallestArenaAllocation = smallestArenaAllocation
      bound.workspace.beginGradients(into: gradients)
      let loss = bound.workspace.recording {
        bound.loss(DropoutSource(seed: 1, step: 2, microBatch: 3), recomputation)
      }
      bound.workspace.backward(from: loss) { _ in }
      #expect(bound.workspace.arena?.evictions == 0)
      return (gradients.elements.map(\.bitPattern), bound.workspace.pool.bytesHeld)
    }
    let (aliased, plain) = (
      try gradients(smallestArenaAllocation: 64), try gradients(smallestArenaAllocation: .max)
    )
    #expect(aliased.bits == plain.bits)
    #expect(aliased.bytes < plain.bytes)
  }

  /// A leaf is a sum over micro-batches: the second micro-batch adds to the first.
  @Test(arguments: families) func gradientsOfMicroBatchesAdd(family: String) throws {
    let bound = try Bound(family)
    let once = FlatBuffer(count: bound.layout.count)
    let twice = FlatBuffer(count: bound.layout.count)
    bound.workspace.beginGradients(into: once)
    bound.workspace.backward(from: bound.workspace.recording { bound.loss() }) { _ in }
    bound.workspace.beginGradients(into: twice)
    bound.workspace.backward(from: bound.workspace.recording { bound.loss() })
    bound.workspace.backward(from: bound.workspace.recording { bound.loss() }) { _ in }
    let size = once.elements.reduce(0) { max($0, abs($1)) }
    let worst = zip(once.elements, twice.elements).reduce(0) { max($0, abs($1.1 - 2 * $1.0)) }
    #expect(worst <= 1e-6 * size)
  }

  /// From the second step on, all memory comes from the pool.
  @Test(arguments: families) func laterStepsAllocateNoMemory(family: String) throws {
    let bound = try Bound(family, dropout: 0.1)
    let gradients = FlatBuffer(count: bound.layout.count)
    func step(_ number: Int) {
      bound.workspace.beginGradients(into: gradients)
      let loss = bound.workspace.recording {
        bound.loss(DropoutSource(seed: 1, step: number, microBatch: 0))
      }
      bound.workspace.backward(from: loss) { _ in }
    }
    step(0)
    let allocations = bound.workspace.pool.systemAllocations
    #expect(allocations > 0)
    for number in 1..<5 { step(number) }
    #expect(bound.workspace.pool.systemAllocations == allocations)
  }
}
