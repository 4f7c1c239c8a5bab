import Testing

@testable import Training

@Suite struct StragglerDetectorTests {
  /// Returns the findings of `steps` steps, by step from 1.
  private func findings(
    steps: Int, flops: [Int], seconds: (Int) -> [Double]
  ) -> [Int: StragglerDetector.Straggler] {
    var detector = StragglerDetector()
    var findings: [Int: StragglerDetector.Straggler] = [:]
    for step in 1...steps {
      let words = zip(flops, seconds(step)).map { flops, seconds in
        var word = ControlWord()
        (word.flops, word.computeMicroseconds) = (flops, Int(seconds * 1e6))
        return word
      }
      findings[step] = detector.observe(words)
    }
    return findings
  }

  @Test func aSlowRankIsNamedLessAndLessOften() throws {
    let found = findings(steps: 1000, flops: [9, 9, 9, 9]) { _ in [1, 1.1, 2.5, 1] }
    #expect(found.keys.sorted() == [20, 120, 620])
    let first = try #require(found[20])
    #expect(first.rank == 2 && first.steps == 20 && abs(first.ratio - 0.4) < 1e-9)
    #expect(
      first.sentence(host: "node-b").hasPrefix(
        "rank 2 on node-b computes at 40 % of the median speed of the ranks, over 20 steps, and"))
  }

  @Test func ofTwoRanksTheSlowerIsNamed() {
    #expect(findings(steps: 20, flops: [9, 9]) { _ in [2, 1] }[20]?.rank == 0)
  }

  @Test func fewerMicroBatchesAndASlowStepAreNoStragglers() {
    // Rank 1 has half the work in half the time, and rank 2 none.
    #expect(findings(steps: 200, flops: [8, 4, 0]) { _ in [1, 0.5, 0] }.isEmpty)
    // One rank, and a step in which the other rank paused.
    #expect(findings(steps: 200, flops: [8]) { _ in [1] }.isEmpty)
    #expect(findings(steps: 200, flops: [8, 8]) { [1, $0 % 100 == 7 ? 8 : 1] }.isEmpty)
  }
}
