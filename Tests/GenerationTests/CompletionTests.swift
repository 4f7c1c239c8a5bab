import Foundation
import Generation
import Layers
import Tensors
import Testing

/// Completions for rollouts: prompts of several lengths in one batch, with log-probabilities.
@Suite struct CompletionTests {
  private typealias Model = GeneratorTests.Model
  private static let families = GeneratorTests.families
  private static let vocabulary = GeneratorTests.vocabulary
  private static let context = GeneratorTests.context
  private static let prompts: [[Int32]] = [[4, 9, 1], [2], [7, 7, 3, 11, 0, 5, 6], [1, 2]]

  private static func request(
    _ prompts: [[Int32]] = prompts, samples: Int = 1, maximum: Int = 40,
    sampling: Sampling = Sampling(), end: Int32? = nil, limit: Int = vocabulary, seed: UInt64 = 1,
    step: Int = 0, first: Int = 0
  ) -> CompletionRequest {
    CompletionRequest(
      prompts: prompts, samples: samples, maximum: maximum, sampling: sampling,
      ends: end.map { [$0] } ?? [],
      vocabulary: limit, seed: seed, step: step, first: first)
  }

  /// Returns log softmax(`logits` ÷ `temperature`) at `id`, in fp64.
  private static func logProbability(_ logits: [Float], _ id: Int32, _ temperature: Double)
    -> Double
  {
    let scaled = logits.map { Double($0) / temperature }
    let top = scaled.max() ?? 0
    let total = scaled.reduce(0) { $0 + exp($1 - top) }
    return scaled[Int(id)] - top - log(total)
  }

  /// Compares every token with one uncached pass over all tokens before it.
  @Test(arguments: families) func greedyCompletionsTakeTheArgmaxOfAnUncachedPass(family: String)
    throws
  {
    let model = try Model(family)
    let completions = model.generate.completions(Self.request(sampling: .greedy))
    var worst = 0.0
    for (prompt, completion) in zip(Self.prompts, completions) {
      // The completion ends with the context.
      #expect(completion.tokens.count == Self.context - prompt.count && !completion.hasEnded)
      var ids = prompt
      for (id, logProbability) in zip(completion.tokens, completion.logProbabilities) {
        let logits = model.next(ids)
        #expect(logits[Int(id)] == logits.max(), "after \(ids.count) ids")
        let expected = Self.logProbability(logits, id, 1)
        worst = max(worst, abs(Double(logProbability) - expected))
        ids.append(id)
      }
    }
    print("\(family): worst error of a log-probability \(worst)")
    #expect(worst < 1e-5)
  }

  @Test(arguments: families) func batchedCompletionsEqualSingleOnes(family: String) throws {
    let model = try Model(family)
    var finished = 0
    let together = model.generate.completions(
      Self.request(samples: 3, sampling: Sampling(temperature: 0.9), end: 3),
      onCompletion: { finished += 1 })
    // Each is reported once, whether it has ended or is cut off.
    #expect(finished == 12)
    #expect(together.count == 12 && Set(together.map(\.tokens)).count == 12)
    // Some end with the end token, some are cut off.
    #expect(together.contains { $0.hasEnded } && together.contains { !$0.hasEnded })
    for (number, completion) in together.enumerated() {
      let alone = model.generate.completions(
        Self.request(
          [Self.prompts[number / 3]], sampling: Sampling(temperature: 0.9), end: 3, first: number))
      #expect(alone.map(\.tokens) == [completion.tokens])
      #expect(alone[0].hasEnded == completion.hasEnded)
      #expect(completion.tokens.count == completion.logProbabilities.count)
      #expect(completion.hasEnded == (completion.tokens.last == 3))
      #expect(!completion.tokens.dropLast().contains(3))
    }
    let one = model.generate(
      CompletionRequest(
        prompt: Self.prompts[2], sequences: 6..<9, maximum: 9, sampling: Sampling(temperature: 0.9),
        ends: [3], vocabulary: Self.vocabulary, seed: 1))
    #expect(one == together[6..<9].map { $0.tokens.filter { $0 != 3 } })
  }

  /// The team runs everything in another order and on other lanes.
  @Test(arguments: families, Precision.allCases)
  func aThreadTeamGivesTheSameCompletions(family: String, precision: Precision) throws {
    let request = Self.request(samples: 5, end: 3)
    let alone = try Model(family, precision).generate.completions(request)
    let team = try Model(family, precision, team: GeneratorTests.BackwardsTeam())
    #expect(team.generate.completions(request) == alone)
  }

  /// Log-probabilities use the sampling temperature and ignore top-k and top-p.
  @Test(arguments: [
    Sampling(temperature: 0.6), Sampling(temperature: 1.7, topK: 4), Sampling(topP: 0.5),
  ]) func logProbabilitiesAreTakenFromTheWholeSoftmax(sampling: Sampling) throws {
    let model = try Model("llama")
    let completions = model.generate.completions(Self.request(sampling: sampling, limit: 17))
    for (prompt, completion) in zip(Self.prompts, completions) {
      var ids = prompt
      for (id, logProbability) in zip(completion.tokens, completion.logProbabilities) {
        let expected = Self.logProbability(model.next(ids), id, Double(sampling.temperature))
        #expect(abs(Double(logProbability) - expected) < 1e-5)
        ids.append(id)
      }
      #expect(completion.tokens.allSatisfy { $0 < 17 })
    }
  }

  /// Each of several tokens ends a completion; one that is no special token belongs to the text.
  @Test func anyOfTheEndsStopsACompletion() throws {
    let model = try Model("gpt2", .fp32)
    let generator = Generator(
      model.network, configuration: model.configuration, in: model.workspace)
    let whole = try #require(generator.completions(Self.request()).first?.tokens)
    // The places of tokens that do not occur before.
    let places = whole.indices.filter { !whole[..<$0].contains(whole[$0]) }
    let (early, late) = (places[2], places[4])
    var request = Self.request()
    request.ends = [whole[late], whole[early]]
    let stopped = try #require(generator.completions(request).first)
    #expect(stopped.tokens == Array(whole[...early]) && stopped.hasEnded)
    #expect(stopped.textTokens { _ in false } == Array(whole[...early]))
    #expect(stopped.textTokens { _ in true } == Array(whole[..<early]))
    request.ends = [whole[late]]
    #expect(generator.completions(request).first?.tokens == Array(whole[...late]))
  }

  @Test(arguments: families, Precision.allCases)
  func aTrainingPassGivesTheSameLogProbabilities(family: String, precision: Precision) throws {
    let model = try Model(family, precision, scale: 4)
    let difference = try LogProbabilityDifference(
      model.network, model.configuration, in: model.workspace,
      Self.request(samples: 16, sampling: Sampling(temperature: 0.8), end: 3))
    print("\(family) in \(precision): \(difference)")
    #expect(difference.tokens > 400)
    #expect(difference.largest <= (precision == .fp32 ? 1e-5 : 2e-2))
  }

  /// A completion does not depend on the others in its batch, to the last bit of its
  /// log-probabilities.
  @Test(arguments: families, Precision.allCases)
  func batchInvariantCompletionsDoNotDependOnTheirBatch(family: String, precision: Precision)
    throws
  {
    let model = try Model(family, precision, scale: 4, isBatchInvariant: true)
    let request = { (prompts: [[Int32]], samples: Int, first: Int) in
      Self.request(
        prompts, samples: samples, sampling: Sampling(temperature: 0.9), end: 3, first: first)
    }
    let together = model.generate.completions(request(Self.prompts, 16, 0))
    for number in stride(from: 0, to: together.count, by: 5) {
      let alone = model.generate.completions(request([Self.prompts[number / 16]], 1, number))
      #expect(alone == [together[number]])
    }
  }

  @Test func seedStepAndNumberChangeTheChoices() throws {
    let model = try Model("gpt2")
    let completions = [(1, 0, 0), (2, 0, 0), (1, 1, 0), (1, 0, 1)].map { seed, step, first in
      model.generate.completions(
        Self.request([[2]], seed: UInt64(seed), step: step, first: first))[0].tokens
    }
    #expect(Set(completions).count == 4)
  }

  @Test(arguments: families) func everyTokenIsReportedWithTheNumberOfItsCompletion(family: String)
    throws
  {
    let model = try Model(family)
    let request = Self.request(samples: 3, sampling: Sampling(temperature: 0.9), end: 3, first: 5)
    var heard = [[Int32]](repeating: [], count: 12)
    let texts = model.generate(request) { number, id in heard[number - 5].append(id) }
    #expect(heard == texts)
    let completions = model.generate.completions(request)
    #expect(completions.contains { $0.hasEnded } && completions.contains { !$0.hasEnded })
    #expect(texts == completions.map { $0.tokens.filter { $0 != 3 } })
  }

  @Test func emptyRequestsGiveEmptyResults() throws {
    let model = try Model("gpt2")
    #expect(model.generate.completions(Self.request([])) == [])
    #expect(model.generate.completions(Self.request(samples: 0)) == [])
    #expect(
      model.generate.completions(Self.request(samples: 2, maximum: 0))
        == Array(repeating: Completion(), count: 8))
  }
}
