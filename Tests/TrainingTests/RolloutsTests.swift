import Generation
import Testing

@testable import Training

@Suite struct RolloutsTests {
  private func rollout(_ question: [Int32], _ answer: [Int32]) -> Rollouts.Rollout {
    var rollout = Rollouts.Rollout(
      prompt: 0, question: question,
      answer: Answer(
        tokens: answer, logProbabilities: answer.map { -Float($0) }, hasEnded: true))
    rollout.old = answer.map { -Float($0) - 0.5 }
    rollout.reference = answer.map { -Float($0) - 1 }
    return rollout
  }

  private var rollouts: Rollouts {
    Rollouts(
      [rollout([1, 2], [3, 4, 5]), rollout([6], [7]), rollout([8, 9, 10], [11])], rows: 2,
      padding: 0)
  }

  /// Targets of weight 1 are the answers' tokens, each behind what it is predicted from.
  @Test func answersAreTheTargets() {
    let batch = rollouts.batch(0)
    #expect(rollouts.microBatches == 2 && rollouts.context == 4)
    #expect(batch.inputs == [1, 2, 3, 4, 6, 7, 0, 0])
    #expect(batch.targets == [2, 3, 4, 5, 7, 0, 0, 0])
    #expect(batch.weights == [0, 1, 1, 1, 1, 0, 0, 0])
    // The last micro-batch is filled up with padding that weighs nothing.
    #expect(rollouts.batch(1).weights == [0, 0, 1, 0, 0, 0, 0, 0])
  }

  @Test func numbersOfTokensStandWhereTheTokensArePredicted() {
    let numbers = rollouts.positions(0, \.old)
    #expect(numbers == [0, -3.5, -4.5, -5.5, -7.5, 0, 0, 0])
    #expect(rollouts.answers(0, in: numbers) == [[-3.5, -4.5, -5.5], [-7.5]])
  }

  @Test func differencesAreThoseOfTheAnswer() {
    #expect(rollouts.all[0].kl == 1.5 && rollouts.all[1].kl == 0.5)
    #expect(rollouts.all[0].samplingDifference == 0.5)
  }

  @Test func answersTravelAsNumbers() {
    let answers = rollouts.all.map(\.answer)
    #expect(Answer.all(answers.flatMap(\.numbers)) == answers)
    #expect(Answer.all([]).isEmpty)
  }
}
