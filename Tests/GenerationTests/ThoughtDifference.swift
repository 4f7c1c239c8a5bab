import Generation
import Layers
import Models
import Tensors
import Testing

/// How far the log-probabilities of tokens when they were chosen are from those of a training pass over
/// prompts and answers, padded to one length: what reinforcement learning measures in every step.
struct ThoughtDifference: CustomStringConvertible {
  /// Tokens compared.
  let tokens: Int
  /// The largest difference, nats.
  let largest: Float
  /// The mean one.
  let mean: Float
  /// Mean −log p of the tokens, for scale.
  let surprise: Float

  init(
    _ network: any LanguageModel, _ configuration: any ModelConfiguration, in workspace: Workspace,
    _ request: AnswerRequest
  ) throws {
    let answers = Generator(network, configuration: configuration, in: workspace).answers(request)
    let prompts = request.prompts.flatMap { Array(repeating: $0, count: request.samples) }
    let sequences = zip(prompts, answers).map { $0 + $1.tokens }
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
    let sampled = answers.flatMap(\.logProbabilities)
    try #require(kept.count == sampled.count && !kept.isEmpty)
    let differences = zip(sampled, kept).map { abs($0 - $1) }
    tokens = kept.count
    largest = differences.reduce(0) { $1.isNaN ? .infinity : max($0, $1) }
    mean = differences.reduce(0, +) / Float(tokens)
    surprise = -kept.reduce(0, +) / Float(tokens)
  }

  var description: String {
    "sampling and training differ by at most \(largest) nats, \(mean) in the mean of \(tokens) "
      + "tokens of \(surprise) nats"
  }
}
