import Aviary
import DataParallel
import Foundation
import Monitoring
import Tokenizers

/// Tokenizers on one thread: BPE training to 8,192 entries, and encoding with BPE, WordPiece and
/// Unigram of that size and with GPT-2's vocabulary if its folder is given.
///
/// The Aviary's stories have about 1,600 different words. They yield at most about 3,000 entries,
/// and a tokenizer with a word cache looks all of them up; for figures that hold for other text,
/// give such text with `--corpus`.
enum TokenizerBenchmark {
  private static let vocabulary = 8192

  static func all(_ settings: Settings) -> [Benchmark] {
    let corpus = Corpus(settings)
    // Without a folder `prepared` removes the benchmark.
    let folder = settings.vocabularyFolder ?? ""
    let trained = ["--vocabulary", "\(vocabulary)"]
    return [
      benchmark("train", "BPE training to \(vocabulary)", corpus, trained) {
        try measureTraining(corpus)
      },
      benchmark("encode", "BPE encoding", corpus, trained) {
        try measureEncoding(corpus, by: train(on: corpus.documents()))
      },
      encoding(.wordpiece, "WordPiece encoding", corpus, settings),
      encoding(.unigram, "Unigram encoding", corpus, settings),
      benchmark("gpt2", "GPT-2's BPE encoding", corpus, ["--tokenizer", folder]) {
        try measureEncoding(corpus, by: TokenizerFile.load(from: folder))
      },
    ]
  }

  /// Prepares the inputs of the tokenizer benchmarks, and returns `benchmarks` without those that
  /// lack an input, which it reports.
  ///
  /// - Throws: `Refusal` for a file that cannot be read or written.
  static func prepared(_ benchmarks: [Benchmark], _ settings: Settings) throws -> [Benchmark] {
    let own = Set(all(settings).map(\.name)).intersection(benchmarks.map(\.name))
    if own.isEmpty { return benchmarks }
    try Corpus(settings).prepare()
    for kind in [TokenizerKind.wordpiece, .unigram] where own.contains("tokenizer.\(kind.rawValue)")
    {
      try prepare(kind, settings)
    }
    guard own.contains("tokenizer.gpt2") else { return benchmarks }
    guard let folder = settings.vocabularyFolder else {
      Refusal.report(
        "tokenizer.gpt2 is left out: give a folder with GPT-2's vocab.json and merges.txt with "
          + "--gpt2-tokenizer or APUS_GPT2_TOKENIZER.")
      return benchmarks.filter { $0.name != "tokenizer.gpt2" }
    }
    do {
      _ = try TokenizerFile.load(from: folder)
    } catch {
      throw Refusal("--gpt2-tokenizer \(folder): \(error)")
    }
    return benchmarks
  }

  /// Encoding with a tokenizer that `prepare` trains and writes, so that the peer reads the same
  /// one.
  private static func encoding(
    _ kind: TokenizerKind, _ title: String, _ corpus: Corpus, _ settings: Settings
  ) -> Benchmark {
    let folder = folder(kind, settings)
    return benchmark(kind.rawValue, title, corpus, ["--tokenizer", folder]) {
      try measureEncoding(corpus, by: TokenizerFile.load(from: folder))
    }
  }

  private static func folder(_ kind: TokenizerKind, _ settings: Settings) -> String {
    "\(settings.output)/\(kind.rawValue)"
  }

  private static func prepare(_ kind: TokenizerKind, _ settings: Settings) throws {
    let trainer: any TokenizerTrainer =
      switch kind {
      case .bpe: try BytePairTrainer(vocabularySize: vocabulary)
      case .wordpiece: try WordPieceTrainer(vocabularySize: vocabulary)
      case .unigram: try UnigramTrainer(vocabularySize: vocabulary)
      }
    var counts = WordCounts()
    counts.add(try Corpus(settings).documents(), cutBy: trainer, threads: 1)
    let tokenizer = try trainer.train(on: counts, threads: 1)
    try TokenizerFile.save(tokenizer, toFolder: folder(kind, settings))
  }

  /// - Parameter options: The arguments of the peer after the task.
  private static func benchmark(
    _ task: String, _ title: String, _ corpus: Corpus, _ options: [String],
    _ measure: @escaping @Sendable () throws -> Reading
  ) -> Benchmark {
    let name = "tokenizer.\(task)"
    return Benchmark(
      name: name, summary: "\(title), one thread, on \(corpus.names)",
      measurements: [
        Measurement(
          name: name, title: "\(title), \(corpus.title)", quantities: [.rate("MB/s"), .memory],
          source: .apus(ranks: 1) { _ in try measure() }),
        Measurement(
          name: "\(name).tokenizers", title: "  Hugging Face tokenizers",
          quantities: [.rate("MB/s"), .memory],
          source: .peer(
            Peer(
              script: "train_tokenizer", package: "tokenizers",
              arguments: ["--task", task == "train" ? "train" : "encode"] + options
                + corpus.paths))),
      ],
      ratios: [
        Ratio(numerator: name, denominator: "\(name).tokenizers", against: "HF tokenizers")
      ])
  }

  private static func train(on documents: [[UInt8]]) throws -> any Tokenizer {
    let trainer = try BytePairTrainer(vocabularySize: vocabulary)
    var counts = WordCounts()
    for document in documents {
      document.withUnsafeBufferPointer { trainer.count($0, into: &counts) }
    }
    return try trainer.train(on: counts)
  }

  private static func measureTraining(_ corpus: Corpus) throws -> Reading {
    let documents = try corpus.documents()
    var clock = Stopwatch()
    let tokenizer = try train(on: documents)
    return reading(documents, clock.lap(), work: tokenizer.vocabularySize)
  }

  private static func measureEncoding(_ corpus: Corpus, by tokenizer: any Tokenizer) throws
    -> Reading
  {
    let documents = try corpus.documents()
    var tokens = 0
    let seconds = (0..<3).map { _ in
      var clock = Stopwatch()
      tokens = documents.reduce(0) { sum, document in
        sum + document.withUnsafeBufferPointer { tokenizer.encode($0).count }
      }
      return clock.lap()
    }
    return reading(documents, seconds.median, work: tokens)
  }

  private static func reading(_ documents: [[UInt8]], _ seconds: Double, work: Int) -> Reading {
    let bytes = documents.reduce(0) { $0 + $1.count }
    return [
      "rate": Double(bytes) / seconds / 1e6, "work": Double(work),
      "memory": Double(ProcessMemory.peak() ?? 0) / 1_048_576,
    ]
  }
}

/// The text of the tokenizer benchmarks; each line is a document.
struct Corpus: Sendable {
  let paths: [String]
  let title: String
  let names: String
  private let isGenerated: Bool

  init(_ settings: Settings) {
    isGenerated = settings.corpora.isEmpty
    paths = isGenerated ? ["\(settings.output)/aviary.txt"] : settings.corpora
    let names = paths.map { URL(fileURLWithPath: $0).lastPathComponent }
    self.names = isGenerated ? "the Aviary's stories" : names.joined(separator: ", ")
    title = isGenerated ? "Aviary stories" : names.count == 1 ? names[0] : "\(names.count) files"
  }

  /// Writes the Aviary's stories if no text was given, and refuses files that cannot be read.
  func prepare() throws {
    if isGenerated {
      let stories = Aviary(seed: 1).documents(count: 20_000).joined(separator: "\n") + "\n"
      do {
        try Data(stories.utf8).write(to: URL(fileURLWithPath: paths[0]))
      } catch {
        throw Refusal(
          "\(paths[0]) cannot be written (\(error.localizedDescription)): choose another folder "
            + "with --output.", code: 5)
      }
    }
    for path in paths where !FileManager.default.isReadableFile(atPath: path) {
      throw Refusal("--corpus \(path) cannot be read: give an existing text file.")
    }
  }

  /// The lines of the text, with their line feeds.
  func documents() throws -> [[UInt8]] {
    try paths.flatMap { path in
      guard let data = FileManager.default.contents(atPath: path) else {
        throw Refusal("\(path) cannot be read: give an existing text file with --corpus.")
      }
      var documents: [[UInt8]] = []
      var rest = data[...]
      while let end = rest.firstIndex(of: 10) {
        documents.append(Array(rest[rest.startIndex...end]))
        rest = rest[rest.index(after: end)...]
      }
      return rest.isEmpty ? documents : documents + [Array(rest)]
    }
  }
}
