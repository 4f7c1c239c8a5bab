import Testing

@testable import Benchmarks

/// Figures from the readings of processes.
struct RunnerTests {
  private let benchmark = Benchmark(
    name: "step", summary: "a step",
    measurements: ["step", "step.torch"].map { name in
      Measurement(
        name: name, title: name, quantities: [.rate("tokens/s"), .memory],
        source: .apus(ranks: 1) { _ in [:] })
    }, ratios: [Ratio(numerator: "step", denominator: "step.torch", against: "PyTorch")])

  /// A load that slows both processes of a turn does not change its ratio.
  @Test func ratiosAreComputedTurnByTurn() throws {
    let figures = Runner.figures(
      of: benchmark,
      [
        "step": [300, 30, 330].map { ["rate": $0, "memory": 7] },
        "step.torch": [200, 20, 220].map { ["rate": $0, "memory": 9] },
      ])
    #expect(
      figures.map(\.name) == [
        "step", "step.memory", "step.torch", "step.torch.memory", "step/step.torch",
      ])
    let ratio = try #require(figures.last)
    #expect(ratio.values == [1.5, 1.5, 1.5] && ratio.higherIsBetter)
    #expect(figures[1].median == 7 && !figures[1].higherIsBetter)
  }

  @Test func aRatioOfMemoryComparesMemory() throws {
    var benchmark = benchmark
    benchmark.ratios.append(
      Ratio(numerator: "step", denominator: "step.torch", against: "PyTorch", quantity: .memory))
    let figures = Runner.figures(
      of: benchmark,
      ["step": [["rate": 300, "memory": 6]], "step.torch": [["rate": 200, "memory": 8]]])
    let (rate, memory) = (figures[4], try #require(figures.last))
    #expect(rate.name == "step/step.torch" && rate.median == 1.5 && rate.higherIsBetter)
    #expect(rate.title == "  ÷ PyTorch" && memory.title == "  memory ÷ PyTorch")
    #expect(
      memory.name == "step/step.torch.memory" && memory.median == 0.75 && !memory.higherIsBetter)
  }

  @Test func aFailedMeasurementHasNoFigureAndNoRatio() {
    let figures = Runner.figures(of: benchmark, ["step": [["rate": 1, "memory": 2]]])
    #expect(figures.map(\.name) == ["step", "step.memory"])
  }

  @Test func aSelectionIsANameOrItsFirstParts() {
    let deep = Benchmark(name: "step.gpt2.fp32", summary: "", measurements: [])
    for selection in ["step", "step.gpt2", "step.gpt2.fp32"] {
      #expect(deep.matches(selection), "\(selection)")
    }
    for selection in ["st", "step.gpt", "gpt2", "step.gpt2.fp32.1"] {
      #expect(!deep.matches(selection), "\(selection)")
    }
  }
}
