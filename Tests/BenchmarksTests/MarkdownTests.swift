import Testing

@testable import Benchmarks

struct MarkdownTests {
  private let machine = Machine(
    processor: "EPYC", cores: 2, threads: 2, memoryBytes: 1, system: "Linux",
    versions: ["MPI": "Open MPI 4", "tokenizers": "0.23"], commit: nil)

  /// Rows tell what was measured, whatever corpus the table is asked for with; what is only there to
  /// be compared with has no row of its own.
  @Test func rowsAreThoseOfTheFigures() throws {
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
          + "| 3.50 × HF tokenizers (3.00–4.00; 7.50 MB/s, 40.0 MiB) |"
      ])
    #expect(text.contains("2 threads of EPYC (2 cores), Linux, Open MPI 4, tokenizers 0.23"))
  }

  @Test func memoryIsComparedInItsOwnWords() throws {
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
          + "| 1.25 × the memory of 4×1024 tokens (1.25–1.25; 40.0 MiB) |"))
  }
}
