import Testing

@testable import Monitoring

@Suite struct ProgressTextTests {
  @Test func aStepIsOneLine() {
    #expect(
      ProgressText.line(report(1200), eta: 17)
        == "step  1200/2000  loss 1.5123  lr 4.2e-04  norm 0.71  21.3k tok/s  64% of peak  eta 0:17"
    )
    var first = report(1, loss: 10.98765, peakFraction: nil)
    first.tokensPerSecond = 231
    first.gradientNorm = 12.345
    first.figures = [Figure("reward", -0.25)]
    #expect(
      ProgressText.line(first, eta: nil)
        == "step     1/2000  loss 10.988  lr 4.2e-04  norm 12.3  reward -0.250    231 tok/s"
        + "  eta -:--")
  }

  @Test func fieldsKeepTheirWidth() {
    var losses: [Double] = [0, 1e-7, 0.5, 9.99994, 9.99996, 10, 99.9996, 123.4, .nan, .infinity]
    losses += [999.96]
    for loss in losses {
      let line = ProgressText.line(report(1200, loss: loss), eta: 17)
      #expect(line.count == 87, "\(line)")
    }
    for rate in [0, 1, 231, 999.4, 999.6, 1000, 9994, 9996, 21_345, 99_960, 999_499, 999_501, 3e9] {
      #expect(ProgressText.short(rate).count == 5, "\(rate) \(ProgressText.short(rate))")
    }
    #expect(ProgressText.short(999.6) == "1.00k")
    #expect(ProgressText.short(213_456) == " 213k")
    #expect(ProgressText.short(.nan) == "    -")
    #expect(ProgressText.fixed(-0.12346, digits: 5) == "-0.1235")
    #expect(ProgressText.fixed(1e9, digits: 5) == "1.0e+09")
    #expect(ProgressText.fixed(-0.00004, digits: 5) == "0.0000")
    #expect(ProgressText.fixed(-12.3456, digits: 5) == "-12.346")
  }

  @Test func durationsAreFormatted() {
    let cases: [(Double?, String)] = [
      (0, "0:00"), (0.6, "0:01"), (59.6, "1:00"), (61, "1:01"), (3599, "59:59"),
      (3723, "1:02:03"), (86_400, "1 d 0 h"), (277_200, "3 d 5 h"), (nil, "-:--"), (.nan, "-:--"),
      (-1, "-:--"), (.infinity, "-:--"), (1e300, "-:--"), (15_261_852, "176 d 15 h"),
    ]
    for (seconds, text) in cases { #expect(Durations.text(seconds) == text) }
  }

  @Test func anEvaluationIsOneLine() {
    #expect(
      ProgressText.line(evaluation(200, isBest: true), totalSteps: 2000)
        == "eval   200/2000  validation loss 1.4982  bits/byte 2.1614  consistentStories 0.910"
        + "  12.3 s  best")
    #expect(ProgressText.line(evaluation(200), totalSteps: nil).hasPrefix("eval  200  validation"))
  }

  @Test func anEventIsOneLineWithoutControlCharacters() {
    let saved = EventReport(.checkpointSaved, step: 200, "Saved a\u{1B}[2Jb\nc.")
    #expect(
      ProgressText.line(saved, totalSteps: 2000) == "checkpoint   200/2000  Saved a␛[2Jb c.")
    #expect(
      ProgressText.line(EventReport(.resumed, "Goes on."), totalSteps: nil) == "resume  Goes on.")
  }

  @Test func aLineDropsFieldsToFitItsWidth() {
    let whole =
      "step  1200/2000  loss 1.5123  lr 4.2e-04  norm 0.71  21.3k tok/s  64% of peak  eta 0:17"
    let lines = [
      whole, "step  1200/2000  loss 1.5123  lr 4.2e-04  norm 0.71  21.3k tok/s  64% peak  eta 0:17",
      "step  1200/2000  loss 1.5123  norm 0.71  21.3k tok/s  64% peak  eta 0:17",
      "step  1200/2000  loss 1.5123  21.3k tok/s  64% peak  eta 0:17",
      "step  1200/2000  loss 1.5123  21.3k tok/s  eta 0:17",
      "step  1200/2000  loss 1.5123  64% peak  eta 0:17",
      "step  1200/2000  loss 1.5123  eta 0:17", "step  1200/2000  loss 1.5123",
      "step  1200/2000  eta 0:17", "step  1200/2000",
    ]
    for (line, next) in zip(lines, lines.dropFirst() + ["step  1200/200"]) {
      #expect(ProgressText.line(report(1200), eta: 17, width: line.count) == line)
      #expect(ProgressText.line(report(1200), eta: 17, width: line.count - 1) == next)
    }
    for width in -1...100 {
      #expect(ProgressText.line(report(1200), eta: 17, width: width).count <= max(0, width))
    }
  }

  /// The rate, the part of the peak and what a phase names first stay on a terminal of 80 columns.
  @Test func aLineOfAlignmentKeepsItsRateOn80Columns() {
    var step = report(12)
    step.totalSteps = 200
    step.lossName = "surrogate"
    step.figures = ["reward", "sequenceKL", "entropy"].map { Figure($0, 0.25) }
    #expect(
      ProgressText.line(step, eta: 17, width: 79)
        == "step   12/200  reward 0.250  sequenceKL 0.250  21.3k tok/s  64% peak  eta 0:17")
    step.lossName = "loss"
    step.figures = ["accuracy", "margin", "chosenReward"].map { Figure($0, 0.25) }
    #expect(
      ProgressText.line(step, eta: 17, width: 79)
        == "step   12/200  loss 1.5123  accuracy 0.250  21.3k tok/s  64% peak  eta 0:17")
  }

  @Test func aLineOfAlignmentShowsRewardAndKLWithin100Columns() {
    var step = report(1200)
    step.lossName = "surrogate"
    let names = ["reward", "sequenceKL", "entropy", "clipFraction", "ended"]
    step.figures = names.map { Figure($0, 0.25) }
    #expect(
      ProgressText.line(step, eta: 17)
        == "step  1200/2000  surrogate 1.5123  reward 0.250  sequenceKL 0.250  21.3k tok/s  64% peak"
        + "  eta 0:17")
    var policy = evaluation(200)
    policy.figures = names.map { Figure($0, 0.25) }
    policy.lossName = nil
    #expect(
      ProgressText.line(policy, totalSteps: 200)
        == "eval  200/200  bits/byte 2.1614  reward 0.250  sequenceKL 0.250  entropy 0.250"
        + "  ended 0.250  12.3 s")
  }
}
