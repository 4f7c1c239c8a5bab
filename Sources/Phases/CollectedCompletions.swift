import DataParallel
import Generation
import Monitoring
import Tensors
import Training

/// A token of a sampled completion, as it travels between ranks.
struct SampledToken: BitwiseCopyable, Sendable {
  /// The index of the completion in its unit.
  let completion: Int32
  let token: Int32
  let logProbability: Float
  /// True for the end token of a completion that has ended.
  let ends: Bool

  /// Returns the tokens of completions, each of which has at least one.
  static func tokens(of completions: [Completion]) -> [SampledToken] {
    completions.enumerated().flatMap { index, completion in
      precondition(!completion.tokens.isEmpty, "completion \(index) of a unit has no token")
      return completion.tokens.indices.map {
        SampledToken(
          completion: Int32(index), token: completion.tokens[$0],
          logProbability: completion.logProbabilities[$0],
          ends: completion.hasEnded && $0 == completion.tokens.count - 1)
      }
    }
  }

  /// Returns the completions that have these tokens.
  static func completions(of tokens: [SampledToken]) -> [Completion] {
    var completions: [Completion] = []
    for token in tokens {
      if token.completion == completions.count { completions.append(Completion()) }
      let last = completions.count - 1
      completions[last].tokens.append(token.token)
      completions[last].logProbabilities.append(token.logProbability)
      completions[last].hasEnded = token.ends
    }
    return completions
  }
}

extension DataParallel<Replica> {
  /// The progress of sampling the completions of this rank, about as many on each rank of `count`;
  /// nil on ranks other than 0.
  func progress(of name: String, _ count: Int, _ unit: String) -> CountProgress? {
    guard world.rank == 0 else { return nil }
    return CountProgress(name, (count + world.size - 1) / world.size, unit)
  }

  /// Samples `units` batches of completions over all workers of all ranks, and returns them on every
  /// rank, in the order of the units.
  ///
  /// Every completion must have at least one token. Collective.
  func completions(
    units: Int,
    _ sample:
      @escaping @Sendable (_ replica: Replica, _ workspace: Workspace, _ unit: Int) throws
      -> [Completion]
  ) throws -> [Completion] {
    let units = try collected(count: units) { replica, workspace, unit in
      SampledToken.tokens(of: try sample(replica, workspace, unit))
    }
    return units.flatMap(SampledToken.completions)
  }
}

extension Generator {
  /// Samples the completions of `request`, and reports each that is finished to `progress`.
  func completions(
    _ request: CompletionRequest, reportingTo progress: CountProgress?
  ) -> [Completion] {
    completions(
      request, onToken: { _, _ in progress?.advance(by: 0) },
      onCompletion: { progress?.advance() })
  }
}
