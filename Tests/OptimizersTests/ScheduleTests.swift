import Optimizers
import Testing

@Suite struct ScheduleTests {
  private func schedule(
    _ shape: Schedule.Shape, warmup: Int = 10, decay: Int = 0, steps: Int = 100
  ) -> Schedule {
    Schedule(shape: shape, peak: 1, final: 0.1, warmup: warmup, decay: decay, steps: steps)
  }

  private func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 1e-12 }

  @Test(arguments: Schedule.Shape.allCases)
  func warmUpRisesFromTheFirstStep(shape: Schedule.Shape) {
    for step in 0..<10 { #expect(isClose(schedule(shape).rate(at: step), Double(step + 1) / 10)) }
    #expect(schedule(shape, warmup: 0).rate(at: 0) == 1)
    #expect(schedule(shape, warmup: 1).rate(at: 0) == 1)
  }

  @Test func ratesBetweenWarmUpAndEnd() {
    #expect(schedule(.constant).rate(at: 55) == 1)
    #expect(isClose(schedule(.linear).rate(at: 55), 0.55))
    #expect(isClose(schedule(.cosine).rate(at: 55), 0.55))
    // A third and two thirds of the way: (1 + cos 60°)/2 and (1 + cos 120°)/2.
    #expect(isClose(schedule(.cosine).rate(at: 40), 0.1 + 0.9 * 0.75))
    #expect(isClose(schedule(.cosine).rate(at: 70), 0.1 + 0.9 * 0.25))
    #expect(isClose(schedule(.inverseSquareRoot).rate(at: 39), 0.5))
    #expect(isClose(schedule(.inverseSquareRoot, warmup: 0).rate(at: 99), 0.1))
  }

  /// The final rate is reached one step after the last, so no step is taken with a final rate of 0.
  @Test(arguments: [Schedule.Shape.linear, .cosine, .wsd])
  func decaysEndAtTheFinalRate(shape: Schedule.Shape) {
    let schedule = schedule(shape, decay: 20)
    #expect(schedule.rate(at: 99) > 0.1 && schedule.rate(at: 99) < 0.15)
    #expect(isClose(schedule.rate(at: 100), 0.1))
    #expect(isClose(schedule.rate(at: 1000), 0.1))
  }

  @Test(arguments: Schedule.Shape.allCases)
  func ratesDoNotRiseAfterTheWarmUp(shape: Schedule.Shape) {
    let schedule = schedule(shape, decay: 30)
    for step in 10..<120 {
      #expect(schedule.rate(at: step) <= schedule.rate(at: step - 1), "step \(step)")
      #expect(schedule.rate(at: step) > 0.1 - 1e-12 || shape == .inverseSquareRoot)
    }
  }

  @Test func wsdIsConstantUntilItsDecay() {
    let twenty = schedule(.wsd, decay: 20)
    #expect((9...80).allSatisfy { twenty.rate(at: $0) == 1 })
    #expect(isClose(twenty.rate(at: 81), 1 - 0.9 / 20))
    #expect(isClose(twenty.rate(at: 90), 0.55))
    let none = schedule(.wsd)
    #expect((9..<100).allSatisfy { none.rate(at: $0) == 1 })
    // A decay longer than the steps after the warm-up begins at the end of the warm-up.
    let long = schedule(.wsd, decay: 500)
    #expect(long.rate(at: 10) == 1)
    #expect(isClose(long.rate(at: 55), 0.55))
  }

  @Test(arguments: Schedule.Shape.allCases)
  func runsThatEndDuringTheWarmUpStayInRange(shape: Schedule.Shape) {
    let short = schedule(shape, warmup: 10, decay: 3, steps: 5)
    #expect(isClose(short.rate(at: 4), 0.5))
    #expect((0..<30).allSatisfy { (0...1).contains(short.rate(at: $0)) })
    #expect(schedule(shape, warmup: 0, decay: 1, steps: 1).rate(at: 0) == 1)
  }
}
