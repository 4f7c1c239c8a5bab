import Testing

@testable import Benchmarks

struct MarkdownTests {
  private let machine = Machine(
    processor: "EPYC", cores: 2, threads: 2, memoryBytes: 1, system: "Linux",
    versions: ["MPI": "Open MPI 4", "tokenizers": "0.23"], commit: nil)

  /// The titles are those of the measured corpus, not of the settings at printing; a measurement
  /// that is only the denominator of a ratio has no row.
  @Test func rowsHaveTheTitlesOfTheMeasuredFigures() throws {
    let measured = try Settings.parse(["--threads", "2", "--corpus", "plays.txt"])
    let asked = try Settings.parse(["--threads", "2"])
    let benchmark = try #require(
      Catalogue.benchmarks(measured, only: ["tokenizer.encode"]).first)
    let figures = Runner.figures(
      of: benchmark,
      [
        "tokenizer.encode": [["rate": 30, "memory": 50], ["rate": 20, "memory": 50]],
        "tokenizer.encode.tokenizers": [["rate": 10, "memory": 40], ["rate": 5, "memory": 40]],
      ])
    let text = Markdown.table(
      Report(machine: machine, figures: figures), Catalogue.benchmarks(asked))
    let rows = text.split(separator: "\n").filter { $0.hasPrefix("| ") }
    #expect(
      rows.dropFirst() == [
        "| BPE encoding, plays.txt | 25.0 MB/s, 50.0 MiB of memory "
          + "| 3.50 × HF tokenizers (3.00–4.00; 7.50 MB/s, 40.0 MiB) | tokenizer.encode |"
      ])
    #expect(text.contains("2 threads of EPYC (2 cores), Linux, Open MPI 4, tokenizers 0.23"))
  }

  @Test func memoryRatiosNameTheQuantity() throws {
    let benchmarks = try Catalogue.benchmarks(
      Settings.parse(["--threads", "2"]), only: ["context.fp32"])
    let figures = Runner.figures(
      of: benchmarks[0],
      [
        "context.fp32": [["rate": 30, "memory": 50]],
        "context.fp32.short": [["rate": 60, "memory": 40]],
      ])
    let text = Markdown.table(Report(machine: machine, figures: figures), benchmarks)
    #expect(
      text.contains(
        "| 10.8M, 1×4096 tokens, fp32 | 30.0 tokens/s, 50.0 MiB of memory "
          + "| 1.25 × the memory of 4×1024 tokens (1.25–1.25; 40.0 MiB) | context.fp32 |"))
  }

  /// Every figure of RESULTS.md has its row, with the name that repeats it.
  @Test(arguments: [
    ("step.gpt2.bf16", "step, GPT-2 124M, 4×256 tokens, bf16", "50 % of its matrix products alone"),
    ("step.gpt2.bf16", "100 tokens/s, 500 MiB of memory", "1.00 × the memory of PyTorch"),
    ("ranks.gpt2", "2 ranks × 1 thread, GPT-2 124M", "× 1 rank × 2 threads"),
    ("reduction.gpt2", "exact, 2 ranks, fp32, GPT-2 124M", "× fast"),
    ("team", "1 micro-batch, team of 2, GPT-2 124M", "× 2 micro-batches on 2 workers"),
    ("context.bf16", "10.8M, 1×4096 tokens, bf16", "× the memory of 4×1024 tokens"),
    ("generate.bf16.1", "generation, GPT-2 124M, batch 1, bf16", "× transformers"),
    ("generate.bf16.1", "batch 1, bf16", "50 % of reading the weights for every token"),
    ("generate.bf16.8", "generation, GPT-2 124M, batch 8, bf16", "× transformers"),
    ("generate.bf16.32", "generation, GPT-2 124M, batch 32, bf16", "× transformers"),
    ("tokenizer.train", "BPE training to 8192, Aviary stories", "× HF tokenizers"),
    ("tokenizer.encode", "BPE encoding, Aviary stories", "× HF tokenizers"),
    ("tokenizer.gpt2", "GPT-2's BPE encoding, Aviary stories", "× HF tokenizers"),
  ])
  func everyFigureOfTheResultsHasARow(benchmark: String, what: String, comparison: String) throws {
    let benchmarks = Catalogue.benchmarks(try Settings.parse(["--threads", "2"]))
    let figures = benchmarks.flatMap { benchmark in
      // Every measurement has a different rate.
      let readings = benchmark.measurements.enumerated().map { place, measurement in
        (measurement.name, [["rate": 100 * Double(place + 1), "memory": 500]])
      }
      return Runner.figures(of: benchmark, Dictionary(readings, uniquingKeysWith: { $1 }))
    }
    let text = Markdown.table(Report(machine: machine, figures: figures), benchmarks)
    #expect(text.hasPrefix("| what | figure | compared with | how |\n|---|--:|---|---|\n"))
    let rows = text.split(separator: "\n").filter { $0.hasSuffix("| \(benchmark) |") }
    #expect(rows.contains { $0.contains(what) && $0.contains(comparison) }, "\(rows)")
    // The name selects the benchmark.
    #expect(
      try Catalogue.benchmarks(Settings.parse([]), only: [benchmark]).map(\.name) == [benchmark])
  }
}
