import Generation
import Models
import Tensors
import Testing

/// Rollouts in a batch-invariant workspace: a training pass gives every token the log-probability
/// that it had when it was sampled, to the last bit.
@Suite struct RolloutInvarianceTests {
  private static let vocabulary = 61

  /// Configurations with heads of size 10, and of more than a register holds.
  private static func configuration(_ family: String) throws -> any ModelConfiguration {
    switch family {
    case "gpt2":
      try GPT2Configuration(
        vocabulary: vocabulary, context: 160, layers: 3, heads: 2, width: 144, dropout: 0.1,
        endOfText: 0)
    case "gemma3":
      try GeneratorTests.Model.gemma3(vocabulary: vocabulary, context: 160, width: 40)
    default:
      try LlamaConfiguration(
        vocabulary: vocabulary, context: 160, layers: 3, heads: 4, keyHeads: 2, width: 40,
        endOfText: 0)
    }
  }

  private static func prompt(_ length: Int) -> [Int32] {
    (0..<length).map { Int32(($0 * 7 + $0 * $0 + length) % vocabulary) }
  }

  @Test(arguments: GeneratorTests.families, Precision.allCases)
  func samplingAndTrainingGiveEqualLogProbabilities(family: String, precision: Precision) throws {
    let configuration = try Self.configuration(family)
    let layout = configuration.layout
    let values = FlatBuffer(count: layout.count)
    layout.initialize(values.elements, seed: 5)
    for entry in layout.entries where entry.decays {
      for place in entry.range { values.elements[place] *= 3 }
    }
    let bf16Copy = precision == .bf16 ? BF16Buffer(count: layout.count) : nil
    bf16Copy?.round(values, 0..<layout.count)
    for team in [nil, GeneratorTests.BackwardsTeam()] {
      let workspace = Workspace(precision: precision, team: team, isBatchInvariant: true)
      let network = workspace.bind(layout, values: values, bf16Copy: bf16Copy, configuration.build)
      for (lengths, samples) in [([1], 1), ([3, 64], 2), ([17, 65, 100], 7), ([5, 130], 30)] {
        let difference = try LogProbabilityDifference(
          network, configuration, in: workspace,
          CompletionRequest(
            prompts: lengths.map(Self.prompt), samples: samples, maximum: 50,
            sampling: Sampling(temperature: 0.8), ends: [3], vocabulary: Self.vocabulary, seed: 9))
        #expect(difference.largest == 0, "prompts of \(lengths), \(samples) each: \(difference)")
        #expect(difference.surprise > 0.5)
      }
    }
  }
}
