import Configuration
import Generation
import Testing

@testable import Phases

@Suite struct AlignmentMethodTests {
  private func reader(_ overrides: [String]) throws -> ConfigurationReader {
    try ConfigurationReader(
      yaml: "{ model: { from: base }, data: { train: [a.jsonl] }, reward: { rule: a } }",
      file: "run.yaml", overrides: overrides)
  }

  private func options(_ overrides: String...) throws -> AlignmentOptions {
    var reader = try reader(overrides)
    return try AlignmentOptions(&reader)
  }

  /// Two completions of two tokens for each of two prompts, with rewards 1, 3, 2 and 2.
  private var rollouts: [Rollouts.Rollout] {
    [1.0, 3, 2, 2].map { reward in
      var rollout = Rollouts.Rollout(
        promptIndex: 0, prompt: [1],
        completion: Completion(tokens: [5, 6], logProbabilities: [-1, -2], hasEnded: true))
      rollout.oldLogProbabilities = [-1, -2]
      rollout.referenceLogProbabilities = [-1.5, -2.5]
      rollout.values = [0, 0]
      rollout.reward = reward
      return rollout
    }
  }

  @Test func everyNameReadsAsItsMethod() throws {
    for name in AlignmentMethod.names {
      #expect(AlignmentMethod(name: name).name == name)
    }
    #expect(try options().method.name == "ppo" && options().method.hasValueHead)
    for name in ["dpo", "kto"] { #expect(!AlignmentMethod(name: name).samples) }
  }

  /// Completions are sampled from weights on which all ranks agree; the other methods learn from data.
  @Test func methodsThatSampleRefuseDiLoCo() throws {
    let keys = ["sync=diloco", "steps=200"]
    for name in AlignmentMethod.names where !AlignmentMethod(name: name).samples {
      var reader = try reader(["method=\(name)", "reward.rule=null"] + keys)
      #expect(try AlignmentOptions(&reader).training.diloco?.workers == 2)
    }
    for name in AlignmentMethod.names where AlignmentMethod(name: name).samples {
      do {
        _ = try options("method=\(name)", keys[0], keys[1])
        Issue.record("\(name) was not refused")
      } catch {
        for word in ["sync is refused", "\(name) samples completions", "choose exact"] {
          #expect("\(error)".contains(word), "\(error)")
        }
      }
    }
  }

  @Test func keysOfOtherMethodsAreRefused() throws {
    var reader = try reader([])
    _ = try AlignmentOptions(&reader)
    for name in AlignmentMethod.names {
      let keys = AlignmentMethod(name: name).unusedKeys.flatMap(reader.keysRead)
      #expect(keys.count > (AlignmentMethod(name: name).samples ? 3 : 20))
      for key in keys {
        let value =
          switch key {
          case "reward.model", "reward.rule", "reward.command", "dpo.loss": "ipo"
          case "reward.allowUnfit": "true"
          case "rollouts.batchInvariant", "policy.scaled": "false"
          case "dpo.labelSmoothing", "policy.lambda", "policy.discount": "0.25"
          default: "3"
          }
        #expect(throws: ConfigurationError.self, "\(name): \(key)") {
          try self.options("method=\(name)", "\(key)=\(value)")
        }
      }
    }
  }

  /// The KL of KTO is estimated from answers to other prompts of the micro-batch.
  @Test func oneAnswerPerMicroBatchHasNoOther() throws {
    #expect(throws: ConfigurationError.self) {
      try self.options("method=kto", "batch.sequences=1", "reward.rule=null")
    }
    #expect(try options("method=dpo", "batch.sequences=1", "reward.rule=null").method.name == "dpo")
  }

  @Test func oneCompletionPerPromptCannotBeCompared() throws {
    #expect(throws: ConfigurationError.self) { try self.options("method=grpo") }
  }

  @Test func grpoComparesTheCompletionsOfAPrompt() throws {
    var rollouts = rollouts
    var variables: [String: Double] = [:]
    let options = try options(
      "method=grpo", "rollouts.samples=2", "steps=192", "policy.scaled=false")
    GRPO(options.policy, samples: 2).computeAdvantages(of: &rollouts, variables: &variables)
    #expect(rollouts.map(\.advantages) == [[-1, -1], [1, 1], [0, 0], [0, 0]])
    #expect(variables.isEmpty)
  }

  /// The KL of a completion is 1 nat, below the target, so that the coefficient falls.
  @Test func ppoCarriesItsCoefficientFromIterationToIteration() throws {
    var rollouts = rollouts
    var variables: [String: Double] = [:]
    let options = try options("kl.coefficient=0.5", "kl.target=4", "kl.horizon=40")
    let method = PPO(options.policy, samples: 1)
    method.computeAdvantages(of: &rollouts, variables: &variables)
    let first = try #require(variables.values.first)
    #expect(variables.count == 1 && first < 0.5)
    method.computeAdvantages(of: &rollouts, variables: &variables)
    #expect(try #require(variables.values.first) < first)
    #expect(rollouts.allSatisfy { $0.returns.count == 2 && $0.advantages.count == 2 })
  }
}
