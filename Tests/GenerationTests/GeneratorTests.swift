import Generation
import Layers
import Models
import Tensors
import Testing

@Suite struct GeneratorTests {
  static let families = ["gpt2", "llama", "mistral", "qwen3", "gemma3"]
  static let vocabulary = 23
  static let context = 16

  /// A small model with weights large enough that the logits differ.
  struct Model {
    let workspace: Workspace
    let configuration: any ModelConfiguration
    let network: any LanguageModel

    init(
      _ family: String, _ precision: Precision = .fp32, team: (any Team)? = nil, scale: Float = 15,
      isBatchInvariant: Bool = false
    ) throws {
      workspace = Workspace(
        precision: precision, team: team, isBatchInvariant: isBatchInvariant)
      if family == "gpt2" {
        configuration = try GPT2Configuration(
          vocabulary: vocabulary, context: context, layers: 2, heads: 2, width: 16, dropout: 0.1,
          endOfText: 0)
      } else if family == "gemma3" {
        configuration = try Model.gemma3(
          vocabulary: vocabulary, context: context, width: 24)
      } else {
        var llama = try LlamaConfiguration(
          vocabulary: vocabulary, context: context, layers: 2, heads: 4, keyHeads: 2, width: 24,
          endOfText: 0)
        llama.kind = try #require(LlamaKind(rawValue: family))
        llama.window = family == "mistral" ? 5 : nil
        configuration = llama
      }
      let layout = configuration.layout
      let values = FlatBuffer(count: layout.count)
      layout.initialize(values.elements, seed: 11)
      for entry in layout.entries where entry.decays {
        for place in entry.range { values.elements[place] *= scale }
      }
      let bf16Copy = precision == .bf16 ? BF16Buffer(count: layout.count) : nil
      bf16Copy?.round(values, 0..<layout.count)
      network = workspace.bind(layout, values: values, bf16Copy: bf16Copy, configuration.build)
    }

    /// Returns a Gemma 3 of two local blocks and a global one.
    static func gemma3(vocabulary: Int, context: Int, width: Int) throws -> GemmaConfiguration {
      var new = NewModel(family: .gemma3)
      (new.layers, new.heads, new.keyHeads, new.width) = (3, 4, 2, width)
      (new.typedContext, new.tied) = (context, false)
      var model = try GemmaConfiguration(
        new, NewModelIds(count: vocabulary, endOfText: 0) { _ in nil })
      model.window = 5
      return model
    }

    var generate: Generator { Generator(network, configuration: configuration, in: workspace) }

    /// Returns the logits after the last of `ids`, without a cache.
    func next(_ ids: [Int32]) -> [Float] {
      Array(network.logits(ids, ForwardPass(sequences: 1)).values.suffix(vocabulary))
    }
  }

  private static func request(
    _ prompt: [Int32], sequences: Range<Int> = 0..<1, maximum: Int,
    sampling: Sampling = .greedy, end: Int32? = nil, limit: Int = vocabulary, seed: UInt64 = 1,
    step: Int = 0
  ) -> CompletionRequest {
    CompletionRequest(
      prompt: prompt, sequences: sequences, maximum: maximum, sampling: sampling,
      ends: end.map { [$0] } ?? [],
      vocabulary: limit, seed: seed, step: step)
  }

  private static func best(_ logits: [Float]) -> Int32 {
    Int32(logits.indices.reduce(0) { logits[$1] > logits[$0] ? $1 : $0 })
  }

  /// Feeds two sequences in pieces of several sizes and compares with one uncached pass.
  @Test(arguments: families, Precision.allCases)
  func cachedLogitsEqualThoseOfAnUncachedPass(family: String, precision: Precision) throws {
    let model = try Model(family, precision)
    let length = 15
    let ids = (0..<2).map { sequence in
      (0..<length).map { Int32(($0 * 7 + sequence * 5 + $0 * $0) % Self.vocabulary) }
    }
    let whole = model.network.logits(ids.flatMap { $0 }, ForwardPass(sequences: 2)).values
    let size = whole.reduce(0) { max($0, abs($1)) }
    let pass = ForwardPass(
      sequences: 2,
      caches: model.configuration.caches(
        sequences: 2, capacity: Self.context, source: 0, in: model.workspace))
    var start = 0
    var worst: Float = 0
    for piece in [1, 6, 1, 1, 4, 2] {
      let new = ids.flatMap { $0[start..<start + piece] }
      let logits = model.network.logits(new, pass).values
      for sequence in 0..<2 {
        for place in 0..<piece * Self.vocabulary {
          let expected = whole[(sequence * length + start) * Self.vocabulary + place]
          worst = max(
            worst, abs(logits[sequence * piece * Self.vocabulary + place] - expected) / size)
        }
      }
      start += piece
    }
    #expect(start == length)
    print("\(family) in \(precision): worst error of cached logits \(worst)")
    // In bf16 one sum that rounds differently changes everything after it.
    #expect(worst <= (precision == .fp32 ? 1e-5 : 0.05))
  }

  @Test(arguments: families, [1, 5, 15])
  func greedyTakesTheArgmaxOfAnUncachedPass(family: String, length: Int) throws {
    let model = try Model(family)
    let prompt = (0..<length).map { Int32($0 * 3 % Self.vocabulary) }
    let new = model.generate(Self.request(prompt, maximum: Self.context - length))[0]
    #expect(new.count == Self.context - length)
    var ids = prompt
    for id in new {
      #expect(id == Self.best(model.next(ids)), "after \(ids.count) ids")
      ids.append(id)
    }
    #expect(Set(new).count > 1 || length == 15)
  }

  /// When the context is full, the next token sees its newest three quarters.
  @Test(arguments: families) func generationContinuesPastTheContext(family: String) throws {
    let model = try Model(family)
    let prompt: [Int32] = [4, 9, 1]
    let new = model.generate(Self.request(prompt, maximum: 3 * Self.context))[0]
    #expect(new.count == 3 * Self.context)
    var ids = prompt
    var window = prompt
    for id in new {
      #expect(id == Self.best(model.next(window)), "after \(ids.count) ids")
      ids.append(id)
      window = window.count == Self.context ? ids.suffix(Self.context * 3 / 4) : window + [id]
    }
  }

  @Test(arguments: families) func sequencesDoNotDependOnEachOther(family: String) throws {
    let model = try Model(family)
    let request = { (sequences: Range<Int>) in
      Self.request(
        [2, 7], sequences: sequences, maximum: 40, sampling: Sampling(temperature: 0.9), end: 3)
    }
    let together = model.generate(request(0..<6))
    #expect(Set(together).count == 6)
    // Some end early and some do not, so the batch shrinks while others continue.
    #expect(Set(together.map(\.count)).count > 1)
    for sequence in 0..<6 {
      #expect(model.generate(request(sequence..<sequence + 1)) == [together[sequence]])
    }
    #expect(model.generate(request(2..<5)) == Array(together[2..<5]))
    #expect(try Model(family).generate(request(0..<6)) == together)
  }

  /// A team that runs everything in reverse order, on other lanes.
  final class BackwardsTeam: Team {
    let size = 3
    func run(_ count: Int, _ body: (Int, Int) -> Void) {
      for index in (0..<count).reversed() { body(index, index % size) }
    }
  }

  @Test(arguments: families, Precision.allCases)
  func aThreadTeamGivesTheSameTokens(family: String, precision: Precision) throws {
    let request = Self.request(
      [2, 7, 1], sequences: 0..<9, maximum: 40, sampling: Sampling(temperature: 0.9), end: 3)
    let alone = try Model(family, precision).generate(request)
    #expect(Set(alone.map(\.count)).count > 2)
    #expect(try Model(family, precision, team: BackwardsTeam()).generate(request) == alone)
  }

  @Test func seedAndStepChangeTheChoices() throws {
    let model = try Model("gpt2")
    let results = [(1, 0), (2, 0), (1, 1)].map { seed, step in
      model.generate(
        Self.request([2], maximum: 30, sampling: Sampling(), seed: UInt64(seed), step: step))
    }
    #expect(Set(results).count == 3)
  }

  @Test(arguments: families) func theEndTokenEndsASequenceAndIsNotReturned(family: String) throws {
    let model = try Model(family)
    let request = { (end: Int32?) in
      Self.request([4, 9, 1], maximum: 20, sampling: Sampling(temperature: 2), end: end)
    }
    let free = model.generate(request(nil))[0]
    let end = try #require(free.first { free.firstIndex(of: $0) ?? 0 > 1 })
    var heard: [Int32] = []
    let ended = model.generate(request(end)) { sequence, id in
      #expect(sequence == 0)
      heard.append(id)
    }
    #expect(ended == [Array(free.prefix { $0 != end })])
    #expect(heard == ended[0])
    // An end token in the prompt does not end the sequence.
    let after = Self.request([end, 4], maximum: 1, end: end == 0 ? 1 : 0)
    #expect(model.generate(after)[0].count == 1)
  }

  @Test(arguments: families) func idsAboveTheVocabularyAreNeverChosen(family: String) throws {
    let model = try Model(family)
    for sampling in [Sampling.greedy, Sampling(temperature: 5), Sampling(topK: 9, topP: 0.99)] {
      let rows = model.generate(
        Self.request([1], sequences: 0..<4, maximum: 30, sampling: sampling, limit: 3))
      #expect(rows.allSatisfy { $0.count == 30 && $0.allSatisfy { $0 < 3 } })
    }
    let only = model.generate(Self.request([5], maximum: 9, limit: 1))
    #expect(only == [Array(repeating: 0, count: 9)])
  }

  @Test func emptyRequestsGiveEmptyResults() throws {
    let model = try Model("gpt2")
    #expect(model.generate(Self.request([1], maximum: 0)) == [[]])
    #expect(model.generate(Self.request([1], sequences: 3..<3, maximum: 5)) == [])
  }

  private struct Stopped: Error {}

  @Test func anErrorOfTheTokenHandlerIsRethrown() throws {
    let model = try Model("gpt2")
    var heard = 0
    #expect(throws: Stopped.self) {
      try model.generate(Self.request([1], maximum: 9)) { _, _ in
        heard += 1
        if heard == 3 { throw Stopped() }
      }
    }
    #expect(heard == 3)
  }

  /// Pearson's test of the first choices of 4,000 sequences against the softmax of the logits.
  @Test(arguments: [(1, Int?.none, 1), (0.6, 6, 1), (1.3, nil, 0.7)] as [(Float, Int?, Float)])
  func firstTokensFollowTheSoftmax(temperature: Float, topK: Int?, topP: Float) throws {
    let model = try Model("gpt2")
    let draws = 4000
    let rows = model.generate(
      Self.request(
        [4, 9], sequences: 0..<draws, maximum: 1,
        sampling: Sampling(temperature: temperature, topK: topK, topP: topP), seed: 5))
    var counts = [Double](repeating: 0, count: Self.vocabulary)
    for row in rows { counts[Int(row[0])] += 1 }

    let logits = model.next([4, 9])
    let expected = ReferenceDistribution.probabilities(
      logits, temperature: Double(temperature), topK: topK, topP: Double(topP))
    var statistic = 0.0
    var degrees = -1.0
    for (count, probability) in zip(counts, expected) {
      guard probability > 0 else {
        #expect(count == 0)
        continue
      }
      let mean = Double(draws) * probability
      // Rare tokens add noise to Pearson's sum, not power.
      guard mean >= 5 else { continue }
      statistic += (count - mean) * (count - mean) / mean
      degrees += 1
    }
    #expect(degrees >= 3)
    // Four standard deviations above the mean of the χ² distribution; the seed is fixed.
    #expect(statistic < degrees + 4 * (2 * degrees).squareRoot(), "χ² \(statistic) of \(degrees)")
  }
}
