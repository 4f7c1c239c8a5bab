import Testing

@testable import Benchmarks

struct BenchmarkFigureTests {
  private func figure(_ values: [Double], higherIsBetter: Bool = true, subject: String = "step")
    -> BenchmarkFigure
  {
    BenchmarkFigure(
      name: "step", title: "step", subject: subject, unit: "tokens/s",
      higherIsBetter: higherIsBetter, values: values)
  }

  @Test func medianAndExtremesOfUnsortedValues() {
    let odd = figure([5, 1, 3])
    #expect(odd.median == 3 && odd.least == 1 && odd.most == 5)
    #expect(figure([4, 1, 3, 2]).median == 2.5)
    #expect(odd.values == [5, 1, 3], "turns stay in order, since ratios are computed turn by turn")
  }

  @Test func aChangeIsReportedOnlyBeyondTheSpread() throws {
    let earlier = figure([90, 100, 110])
    #expect(
      figure([105, 115, 120]).change(since: earlier) == Change(ratio: 1.15, verdict: .within))
    #expect(figure([111, 120, 125]).change(since: earlier) == Change(ratio: 1.2, verdict: .better))
    #expect(figure([70, 80, 89]).change(since: earlier) == Change(ratio: 0.8, verdict: .worse))
    #expect(
      figure([101]).change(since: figure([100])) == Change(ratio: 1.01, verdict: .within),
      "one turn has no spread")
    let memory = figure([90, 100, 110], higherIsBetter: false)
    #expect(
      figure([70, 80, 89], higherIsBetter: false).change(since: memory)
        == Change(ratio: 0.8, verdict: .better))
  }

  /// The subject contains the corpus.
  @Test func figuresOfDifferentWorkAreNotCompared() {
    #expect(figure([1], subject: "on text").change(since: figure([1], subject: "on code")) == nil)
    #expect(figure([1]).change(since: nil) == nil)
  }
}
