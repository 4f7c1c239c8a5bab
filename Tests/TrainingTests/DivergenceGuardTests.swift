import Glibc
import Testing

@testable import Training

@Suite struct DivergenceGuardTests {
  private func reason(
    _ guardian: inout DivergenceGuard, step: Int = 7, loss: Double, count: Double = 1000,
    norm: Double = 1, guess: Double? = nil, sign: String? = nil
  ) -> String? {
    do throws(DivergenceGuard.Diverged) {
      try guardian.observe(
        step: step, loss: loss, count: count, gradientNorm: norm, guess: guess, sign: sign)
      return nil
    } catch {
      #expect(error.step == step)
      #expect(error.description.contains("step \(step)"))
      return error.reason
    }
  }

  /// A guard whose window is full of 32 losses of 2.
  private var full: DivergenceGuard {
    DivergenceGuard(spike: 2, examples: 256, recent: Array(repeating: 2, count: 32))
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func aValueThatIsNotFiniteEndsTheRunAtOnce(value: Double) {
    for spike in [0.0, 2] {
      var fresh = DivergenceGuard(spike: spike, examples: 256)
      #expect(reason(&fresh, loss: value) == "its loss is \(value)")
      #expect(reason(&fresh, loss: 1, norm: value) == "its gradient norm is \(value)")
    }
  }

  @Test func theSignOfANaNIsNotReported() {
    var fresh = DivergenceGuard(spike: 2, examples: 256)
    #expect(reason(&fresh, loss: -.nan) == "its loss is nan")
    #expect(reason(&fresh, loss: 1, norm: -.nan) == "its gradient norm is nan")
  }

  @Test func theThirdHighLossInARowEndsTheRun() throws {
    var guardian = full
    #expect(reason(&guardian, loss: 4.1) == nil)
    #expect(guardian.fault != nil)
    #expect(reason(&guardian, loss: 100) == nil)
    let found = try #require(reason(&guardian, loss: 4.2))
    #expect(found.contains("4.2") && found.contains("2.0 × the recent mean 2.0"))
  }

  @Test func oneOrTwoHighLossesDoNotEndTheRun() {
    var guardian = full
    for _ in 0..<2 {
      #expect(reason(&guardian, loss: 50) == nil)
      #expect(guardian.fault != nil)
    }
    #expect(reason(&guardian, loss: 2) == nil)
    #expect(guardian.fault == nil)
    // Once they are over, high losses enter the window, too; an extreme one as 10 times the limit.
    #expect(guardian.recent.suffix(4) == [2, 40, 40, 2])
  }

  /// The steps of a run whose losses are high in a part of the examples, at random.
  private func losses(_ steps: Int, examples: Int, part: Double, high: Double) -> [Double] {
    var state: UInt64 = 1
    return (0..<steps).map { _ in
      (0..<examples).reduce(0.0) { sum, _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return sum + (Double(state >> 11) / 0x1p53 < part ? high : 0.01)
      } / Double(examples)
    }
  }

  /// Hard examples are no divergence: values of 0 and 10 that are all answered with 0, and classes of
  /// which a tenth is wrong with certainty.
  @Test(arguments: [1, 2, 4, 8, 16, 32, 64])
  func hardExamplesDoNotEndARun(examples: Int) {
    for (part, high, guess) in [(0.2, 100.0, 20.0), (0.1, 7, log(2)), (0.3, 4, 5.5)] {
      var guardian = DivergenceGuard(spike: 2, examples: examples)
      let losses = losses(20_000, examples: examples, part: part, high: high)
      let end = losses.firstIndex {
        reason(&guardian, loss: $0, count: Double(examples), guess: guess) != nil
      }
      #expect(end == nil, "\(examples) \(part) \(high)")
    }
  }

  /// A language model that jumps from 2.5 to 7, below the 10.8 of a guess, and a step of few examples
  /// needs more of them.
  @Test(arguments: [(256, 3), (64, 4), (16, 16), (1, 32)])
  func aJumpThatLastsEndsTheRun(examples: Int, steps: Int) {
    var guardian = DivergenceGuard(spike: 2, examples: examples)
    for step in 0..<100 {
      let loss = 2.5 + Double(step % 5) / 10
      #expect(reason(&guardian, loss: loss, guess: 10.8) == nil && guardian.fault == nil)
    }
    let end = (1...40).first { _ in reason(&guardian, loss: 7, guess: 10.8) != nil }
    #expect(end == steps)
  }

  /// A loss that is small beside a guess may be many times its mean.
  @Test func smallLossesDoNotEndARun() {
    var guardian = DivergenceGuard(
      spike: 2, examples: 256, recent: Array(repeating: 0.001, count: 32))
    for _ in 0..<50 { #expect(reason(&guardian, loss: 0.3, guess: log(2)) == nil) }
  }

  @Test func theSignOfTheObjectiveMustLast() {
    for (examples, steps) in [(64, 3), (4, 16), (1, 32)] {
      var guardian = DivergenceGuard(spike: 0, examples: examples)
      #expect(reason(&guardian, loss: 1, sign: "a sign") == nil && guardian.fault != nil)
      #expect(reason(&guardian, loss: 1) == nil && guardian.fault == nil)
      let end = (1...40).first { _ in reason(&guardian, loss: 1, sign: "a sign") != nil }
      #expect(end == steps)
    }
  }

  /// Weights that were destroyed have a finite loss, and no gradient.
  @Test func theThirdGradientOfZeroInARowEndsTheRun() throws {
    var guardian = DivergenceGuard(spike: 2, examples: 256, recent: [3.5])
    for _ in 0..<2 {
      #expect(reason(&guardian, loss: 5.55, norm: 0) == nil)
      #expect(guardian.fault != nil)
    }
    let found = try #require(reason(&guardian, loss: 5.55, norm: 0))
    #expect(found.contains("gradient is 0") && found.contains("5.55"))
    // Without a loss there is nothing to learn, as where all completions have the same reward.
    var still = full
    for _ in 0..<9 { #expect(reason(&still, loss: 0, norm: 0) == nil && still.fault == nil) }
  }

  /// A loss that climbs a little in every step stays below the multiple of its mean.
  @Test func aSlowClimbAboveAGuessEndsTheRun() {
    let climb = (0..<40).map { 3.5 * pow(1.2, Double($0)) }
    var guardian = DivergenceGuard(spike: 10, examples: 256)
    #expect(climb.allSatisfy { reason(&guardian, loss: $0) == nil })
    guardian = DivergenceGuard(spike: 10, examples: 256)
    let end = climb.firstIndex { reason(&guardian, loss: $0, guess: 5.55) != nil }
    // 3.5 · 1.2⁷ = 12.5 is the first loss above 11.1.
    #expect(end == 9)
    // A model that begins above is compared with its own losses.
    guardian = DivergenceGuard(spike: 10, examples: 256)
    for _ in 0..<50 { #expect(reason(&guardian, loss: 30, guess: 5.55) == nil) }
  }

  /// The losses are those of a classifier of two classes with four texts a step at a learning rate
  /// of 1; no multiple of their mean detects them.
  @Test func fewPredictionsNeedALargerExcess() throws {
    let losses = [0.765, 4.761, 13.818, 2.119, 4.936, 17.074, 23.653, 1.669, 9.954, 2.67]
    var guardian = DivergenceGuard(spike: 2, examples: 256)
    #expect(losses.allSatisfy { reason(&guardian, loss: $0, count: 4) == nil })
    guardian = DivergenceGuard(spike: 2, examples: 256)
    let end = losses.firstIndex { reason(&guardian, loss: $0, count: 4, guess: log(2)) != nil }
    #expect(end == 8)
    // One text a step: some are wrong with a large loss, also three in a row.
    guardian = DivergenceGuard(spike: 10, examples: 256)
    for round in 0..<200 {
      for loss in [4.5, 6, 5, 0.1, 0.01, 0.2, 0.02, 0.3, 0.05, 0.4] {
        #expect(reason(&guardian, loss: loss, count: 1, guess: log(2)) == nil, "round \(round)")
      }
    }
    #expect(reason(&guardian, loss: 0, count: 1, guess: 0) == nil)
  }

  /// An adapter at a learning rate of 10 went from 3.3 to 8 at a guess of 5.5, below twice of it.
  @Test func aModelThatForgetsWhatItKnewEndsTheRun() throws {
    var guardian = DivergenceGuard(spike: 3, examples: 4)
    for _ in 0..<32 { #expect(reason(&guardian, loss: 3.2, guess: 5.5) == nil) }
    #expect(guardian.warning(guess: 5.5) == nil)
    let steps = (1...40).first { step in
      let found = reason(&guardian, loss: 8 + 0.1 * Double(step % 3), guess: 5.5)
      // Checkpoints are not published meanwhile.
      #expect((guardian.fault != nil) == (step >= 3) || found != nil)
      return found?.contains("and was 3.2") == true
    }
    #expect(steps == 32)
    #expect(
      guardian.warning(guess: 5.5)?.hasPrefix("the mean loss of the last 32 steps, 7.9") == true)
    // It is known after a resume, too.
    var resumed = DivergenceGuard(
      spike: 2, examples: 4, recent: Array(repeating: 8, count: 32), lowest: 3.2)
    #expect((1...40).first { _ in reason(&resumed, loss: 8, guess: 5.5) != nil } == 32)
  }

  /// One easy example among hard ones says nothing.
  @Test func hardExamplesAfterAnEasyOneAreNotForgotten() {
    var guardian = DivergenceGuard(spike: 2, examples: 1)
    for step in 0..<300 {
      #expect(reason(&guardian, loss: step % 40 == 0 ? 2.2 : 11, guess: 5.6) == nil)
    }
  }

  /// A new model may begin above a guess, and stay there for its warm-up.
  @Test func aModelThatHasLearnedNothingYetGoesOn() {
    var guardian = DivergenceGuard(spike: 2, examples: 256)
    for _ in 0..<200 { #expect(reason(&guardian, loss: 8, guess: 5.9) == nil) }
    #expect(guardian.fault == nil)
  }

  @Test func theWindowSlides() {
    var guardian = full
    for step in 0..<40 { #expect(reason(&guardian, loss: 3.0 + Double(step) / 100) == nil) }
    #expect(guardian.recent.count == 32)
    #expect(guardian.recent.first == 3.08 && guardian.recent.last == 3.39)
  }

  @Test func beforeTheWindowIsFullTheLimitIsTenTimesAsHigh() {
    var guardian = DivergenceGuard(spike: 2, examples: 256)
    #expect(reason(&guardian, loss: 5) == nil)
    #expect(reason(&guardian, loss: 99) == nil)
    #expect(guardian.fault == nil)
    #expect(reason(&guardian, loss: 1e10) == nil)
    #expect(guardian.fault != nil)
  }

  @Test func aSpikeOfZeroChecksOnlyForFiniteValues() {
    var guardian = DivergenceGuard(spike: 0, examples: 256, recent: Array(repeating: 2, count: 32))
    for _ in 0..<10 { #expect(reason(&guardian, loss: 1e30) == nil) }
    #expect(guardian.fault == nil)
  }

  @Test func aResumedRunHasTheSameWindow() {
    var whole = DivergenceGuard(spike: 2, examples: 256)
    for step in 0..<50 { _ = reason(&whole, loss: 5 - Double(step) / 20) }
    let resumed = DivergenceGuard(spike: 2, examples: 256, recent: whole.recent)
    #expect(resumed.recent == whole.recent)
    // Losses beyond the window, as in an edited file, are dropped.
    let edited = DivergenceGuard(spike: 2, examples: 256, recent: Array(repeating: 1, count: 99))
    #expect(edited.recent.count == 32)
  }
}
