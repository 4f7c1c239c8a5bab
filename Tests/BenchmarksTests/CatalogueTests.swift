import Foundation
import Testing
import Tokenizers

@testable import Benchmarks

struct CatalogueTests {
  private static func settings() throws -> Settings {
    try Settings.parse(["--threads", "4", "--corpus", "a.txt"])
  }

  @Test func namesAreUniqueAndRatiosNameMeasurements() throws {
    let benchmarks = Catalogue.benchmarks(try Self.settings())
    let names = benchmarks.flatMap(\.measurements).map(\.name)
    #expect(
      Set(names).count == names.count && Set(benchmarks.map(\.name)).count == benchmarks.count)
    for benchmark in benchmarks {
      let own = Set(benchmark.measurements.map(\.name))
      for ratio in benchmark.ratios {
        #expect(own.contains(ratio.numerator) && own.contains(ratio.denominator), "\(ratio)")
        for name in [ratio.numerator, ratio.denominator] {
          let measured = benchmark.measurements.first { $0.name == name }?.quantities
          #expect(measured?.contains { $0.key == ratio.quantity.key } == true, "\(ratio)")
        }
      }
    }
  }

  /// The published comparisons, by their names in latest.json.
  @Test(arguments: [
    "ranks.gpt2.exact/ranks.gpt2.threads", "reduction.gpt2.exact/reduction.gpt2.fast",
    "team/team.workers", "context.fp32/context.fp32.short.memory",
    "step.gpt2.fp32/step.gpt2.fp32.torch", "step.gpt2.fp32/step.gpt2.fp32.torch.memory",
    "tokenizer.train/tokenizer.train.tokenizers", "tokenizer.encode/tokenizer.encode.tokenizers",
    "tokenizer.gpt2/tokenizer.gpt2.tokenizers",
    "tokenizer.wordpiece/tokenizer.wordpiece.tokenizers",
    "tokenizer.unigram/tokenizer.unigram.tokenizers",
  ])
  func publishedComparisonsExist(name: String) throws {
    let ratios = Catalogue.benchmarks(try Self.settings()).flatMap(\.ratios)
    #expect(ratios.filter { $0.name == name }.count == 1)
    #expect(Set(ratios.map(\.name)).count == ratios.count)
  }

  @Test func everyRowFitsTheTable() throws {
    for benchmark in Catalogue.benchmarks(try Self.settings()) {
      let readings = benchmark.measurements.map { measurement in
        (measurement.name, [["rate": 123_456, "memory": 65_432], ["rate": 9.99, "memory": 1]])
      }
      let figures = Runner.figures(
        of: benchmark, Dictionary(readings, uniquingKeysWith: { $1 }))
      #expect(!figures.isEmpty, "\(benchmark.name)")
      for figure in figures {
        let line = Table.line(figure, since: figure)
        #expect(figure.title.count <= Table.titleWidth, "\(figure.title)")
        #expect(line.count <= Table.width, "\(line)")
      }
    }
  }

  @Test func everyPeerScriptExists() throws {
    let peers = Catalogue.benchmarks(try Self.settings()).flatMap(\.measurements).compactMap {
      if case .peer(let peer) = $0.source { peer } else { nil }
    }
    #expect(Set(peers.map(\.package)) == ["torch", "transformers", "tokenizers"])
    for peer in peers {
      let file = try #require(
        peer.command(python: "python3").first { $0.hasSuffix("/\(peer.script).py") })
      #expect(FileManager.default.fileExists(atPath: file), "\(file)")
    }
  }

  /// The child processes get the folder as an argument; without one the benchmark is listed but
  /// left out of a run.
  @Test func theGPT2BenchmarkNeedsAVocabularyFolder() throws {
    let folder = NSTemporaryDirectory() + "apus-bench-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func prepared(_ arguments: String...) throws -> [String] {
      let settings = try Settings.parse(arguments + ["--corpus", #filePath])
      #expect(settings.arguments.contains("--gpt2-tokenizer") == (settings.vocabularyFolder != nil))
      let benchmarks = try Catalogue.benchmarks(settings, only: ["tokenizer.gpt2"])
      #expect(benchmarks.count == 1)
      return try TokenizerBenchmark.prepared(benchmarks, settings).map(\.name)
    }
    #expect(try prepared("--gpt2-tokenizer", "") == [])
    #expect(throws: Refusal.self) { try prepared("--gpt2-tokenizer", folder) }
    try TokenizerFile.save(ByteTokenizer(), toFolder: folder)
    #expect(try prepared("--gpt2-tokenizer", folder) == ["tokenizer.gpt2"])
  }

  @Test func aNameThatSelectsNothingIsAUsageError() throws {
    let settings = try Self.settings()
    #expect(try Catalogue.benchmarks(settings, only: ["step.nano", "memory"]).count >= 2)
    let refusal = #expect(throws: Refusal.self) {
      try Catalogue.benchmarks(settings, only: ["stp"])
    }
    #expect(refusal?.code == 64 && refusal?.description.contains("step.nano.fp32") == true)
  }

  /// Tokens per step are equal, in one sequence and in four.
  @Test func theModelsOfTheContextBenchmarkDifferOnlyInTheContext() {
    let (long, short) = (TrainedModel.longContext, TrainedModel.shortContext)
    #expect(long.context * long.batch == short.context * short.batch)
    for model in [long, short] {
      #expect(model.width == 384 && model.layers == 6 && model.heads == 6)
    }
    #expect(long.vocabulary == short.vocabulary)
  }

  @Test(arguments: [(1, 1), (2, 2), (3, 4), (4, 4), (16, 4)])
  func microBatchesAreAPowerOfTwoThatDividesTheBatch(workers: Int, expected: Int) {
    #expect(TrainedModel.gpt2.microBatches(workers: workers) == expected)
  }
}
