import DataParallel
import Generation
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
