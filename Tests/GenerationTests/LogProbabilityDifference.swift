import Generation
import Layers
import Models
import Tensors
import Testing

/// The difference between the log-probabilities of sampled tokens and those of a training pass over
/// prompts and completions, padded to one length, as reinforcement learning measures it every step.
struct LogProbabilityDifference: CustomStringConvertible {
  /// The number of compared tokens.
  let tokens: Int
  /// The largest difference, in nats.
  let largest: Float
  /// The mean difference, in nats.
  let mean: Float
  /// The mean −log p of the tokens in nats, for scale.
  let surprise: Float

  init(
    _ network: any LanguageModel, _ configuration: any ModelConfiguration, in workspace: Workspace,
    _ request: CompletionRequest
  ) throws {
    let completions = Generator(network, configuration: configuration, in: workspace)
      .completions(request)
    let prompts = request.prompts.flatMap { Array(repeating: $0, count: request.samples) }
    let sequences = zip(prompts, completions).map { $0 + $1.tokens }
    let length = (sequences.map(\.count).max() ?? 1) - 1
    var (inputs, targets, weights): ([Int32], [Int32], [Float]) = ([], [], [])
    for (prompt, ids) in zip(prompts, sequences) {
      let padded = ids + Array(repeating: 0, count: length + 1 - ids.count)
      inputs += padded[..<length]
      targets += padded[1...]
      weights += (0..<length).map { $0 >= prompt.count - 1 && $0 < ids.count - 1 ? 1 : 0 }
    }
    let trained = workspace.recording {
      network.hidden(inputs, ForwardPass(sequences: sequences.count))
        .logProbabilities(
          head: network.head.weight, targets: targets, weights: weights,
          temperature: request.sampling.temperature)
    }.chosen.values
    let kept = zip(trained, weights).filter { $0.1 != 0 }.map(\.0)
    let sampled = completions.flatMap(\.logProbabilities)
    try #require(kept.count == sampled.count && !kept.isEmpty)
    let differences = zip(sampled, kept).map { abs($0 - $1) }
    tokens = kept.count
    largest = differences.reduce(0) { $1.isNaN ? .infinity : max($0, $1) }
    mean = differences.reduce(0, +) / Float(tokens)
    surprise = -kept.reduce(0, +) / Float(tokens)
  }

  var description: String {
    "sampling and training differ by at most \(largest) nats, by \(mean) on average over "
      + "\(tokens) tokens with a mean −log p of \(surprise) nats"
  }
}
