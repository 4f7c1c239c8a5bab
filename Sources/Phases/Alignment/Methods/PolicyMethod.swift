import Objectives

/// A reinforcement-learning method: the advantages that the policy learns from, and the terms of its
/// loss beside them.
///
/// All methods sample completions (`RolloutCollector`) and minimise the clipped loss of
/// `PolicyObjective`. A new one is a conformer in this folder and an entry in `AlignmentMethod`.
package protocol PolicyMethod: Sendable {
  /// The name of the method under the key `method`.
  static var name: String { get }
  /// The keys under `policy` and `kl` that have no effect with this method.
  static var unusedKeys: [String] { get }
  /// True to train a value head together with the policy.
  static var hasValueHead: Bool { get }
  /// The least number of completions per prompt; 2 for a method that compares them.
  static var minimumSamples: Int { get }

  init(_ options: PolicyOptions, samples: Int)

  /// The coefficient of the KL penalty in the loss; 0 when the rewards contain it.
  var lossKL: Double { get }
  /// The weighting of tokens in completions of different lengths.
  var tokenWeights: TokenWeights { get }

  /// Fills in the advantages of the rollouts of an iteration, and the returns if there is a value
  /// head; the completions of a prompt follow one another.
  ///
  /// - Parameter variables: Values that the method carries from iteration to iteration; checkpoints
  ///   keep them.
  func computeAdvantages(of rollouts: inout [Rollouts.Rollout], variables: inout [String: Double])
}

/// A method that learns from answers in the data, without sampling.
enum AnswerMethod: String, CaseIterable, Sendable {
  /// Direct preference optimization on pairs (Rafailov and others 2023).
  case dpo
  /// Kahneman–Tversky optimization on answers that are called good or bad (Ethayarajh and others 2024).
  case kto

  /// The section of its keys.
  var section: String { rawValue }

  /// An example as a noun for error sentences.
  var example: String {
    switch self {
    case .dpo: "pair"
    case .kto: "answer"
    }
  }
}

/// An alignment method, by its name under the key `method`.
package struct AlignmentMethod: Sendable {
  /// The method by which a policy learns from rewards of sampled completions; nil for one that learns
  /// from answers in the data.
  let policy: (any PolicyMethod.Type)?
  /// The method that learns from answers in the data.
  let answers: AnswerMethod?

  static let policies: [any PolicyMethod.Type] = [PPO.self, GRPO.self, RLOO.self]

  package static let names = policies.map { $0.name } + AnswerMethod.allCases.map(\.rawValue)

  /// The names of the methods that need several completions per prompt.
  static let comparing = policies.filter { $0.minimumSamples > 1 }.map { $0.name }

  /// The method called `name`, one of `names`.
  init(name: String) {
    policy = Self.policies.first { $0.name == name }
    answers = AnswerMethod(rawValue: name)
    precondition((policy == nil) != (answers == nil), "no alignment method is called \(name)")
  }

  var name: String { policy?.name ?? answers?.rawValue ?? "" }

  /// True when the policy samples completions.
  var samples: Bool { policy != nil }

  /// True to train a value head together with the policy.
  var hasValueHead: Bool { policy?.hasValueHead ?? false }

  /// An example as a noun for error sentences.
  var example: String { answers?.example ?? "prompt" }

  /// The keys and sections of alignment that have no effect with this method.
  var unusedKeys: [String] {
    let sections = AnswerMethod.allCases.filter { $0 != answers }.map(\.section)
    return sections + (policy?.unusedKeys ?? ["reward", "rollouts", "policy", "kl"])
  }
}
