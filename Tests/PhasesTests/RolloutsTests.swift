import Generation
import Testing

@testable import Phases

@Suite struct RolloutsTests {
  private func rollout(_ prompt: [Int32], _ tokens: [Int32]) -> Rollouts.Rollout {
    var rollout = Rollouts.Rollout(
      promptIndex: 0, prompt: prompt,
      completion: Completion(
        tokens: tokens, logProbabilities: tokens.map { -Float($0) }, hasEnded: true))
    rollout.oldLogProbabilities = tokens.map { -Float($0) - 0.5 }
    rollout.referenceLogProbabilities = tokens.map { -Float($0) - 1 }
    return rollout
  }

  private var rollouts: Rollouts {
    Rollouts(
      [rollout([1, 2], [3, 4, 5]), rollout([6], [7]), rollout([8, 9, 10], [11])], rows: 2,
      padding: 0)
  }

  /// Each token of a completion is a target at the position before it.
  @Test func theLossMaskCoversTheTokensOfTheCompletions() {
    let batch = rollouts.batch(0)
    #expect(rollouts.microBatches == 2)
    #expect(batch.inputs == [1, 2, 3, 4, 6] && batch.starts == [0, 0, 0, 0, 4])
    #expect(batch.targets == [0, 3, 4, 5, 7])
    #expect(batch.weights == [0, 1, 1, 1, 1])
    // The last micro-batch has what is left.
    #expect(rollouts.batch(1).weights == [0, 0, 1])
  }

  @Test func valuesOfTokensAreAtThePositionsThatPredictThem() {
    let values = rollouts.valuesByPosition(0, \.oldLogProbabilities)
    #expect(values == [0, -3.5, -4.5, -5.5, -7.5])
    #expect(rollouts.positions(0).map { Array(values[$0]) } == [[-3.5, -4.5, -5.5], [-7.5]])
  }

  @Test func klAndSamplingDifferenceAreThoseOfTheCompletion() {
    #expect(rollouts.all[0].kl == 1.5 && rollouts.all[1].kl == 0.5)
    #expect(rollouts.all[0].samplingDifference == 0.5)
  }

  @Test func completionsSurviveTheRoundTripThroughRecords() {
    var completions = rollouts.all.map(\.completion)
    completions[1].hasEnded = false
    #expect(SampledToken.completions(of: SampledToken.tokens(of: completions)) == completions)
    #expect(SampledToken.completions(of: []).isEmpty)
  }
}
