import ArgumentParser
import Aviary
import Datasets
import Foundation
import MPI
import Tokenizers

/// The corpus that a tokenizer is learned from, and where it is written.
///
/// Every rank reads the corpus and counts the words of its share of the documents on its threads; rank
/// 0 adds the counts, learns from them on its threads and writes. The tokenizer is the same for any
/// number of ranks and threads.
struct TokenizerCorpus: ParsableArguments {
  @Argument(help: "Files (.txt, .jsonl, .gz), folders and globs; aviary or aviary-small.")
  var sources: [String]

  @Option(help: "Folder to write tokenizer.json into.")
  var output: String

  @Option(help: "Stories to write when the source is an aviary, each with an instruction for it.")
  var stories = 20_000

  @Option(help: "Field of JSON lines that holds the text.")
  var textField = "text"

  @Option(help: "Threads per rank; the host's cores ÷ its ranks when absent.")
  var threads: Int?

  func validate() throws {
    if stories < 1 { throw ValidationError("--stories must be at least 1, not \(stories).") }
    if let threads, threads < 1 {
      throw ValidationError("--threads must be at least 1, not \(threads).")
    }
  }

  /// Counts the words that `trainer` cuts on all ranks, or in this process alone, and gives `finish` on
  /// rank 0 the sum and the number of threads.
  func count(
    for trainer: any TokenizerTrainer, alone: Bool = false,
    finish: (WordCounts, _ threads: Int) throws -> Void
  ) throws {
    guard Ranks.areSeveral, !alone else { return try count(trainer, nil, nil, finish) }
    var arguments = RankArguments()
    arguments.threads = threads
    arguments.oversubscribe = true
    try arguments.run { world, workers in try count(trainer, world, workers.threads, finish) }
  }

  private func count(
    _ trainer: any TokenizerTrainer, _ world: Communicator?, _ threads: Int?,
    _ finish: (WordCounts, _ threads: Int) throws -> Void
  ) throws {
    let threads =
      threads ?? self.threads ?? max(1, ProcessInfo.processInfo.activeProcessorCount)
    var counts = try counts(trainer, rank: world?.rank ?? 0, of: world?.size ?? 1, threads)
    if let world, world.size > 1 {
      let parts = try world.allGatherV(counts.bytes)
      guard world.rank == 0 else { return }
      counts = WordCounts()
      for part in parts { counts.add(WordCounts(bytes: part)) }
    }
    try finish(counts, threads)
  }

  /// The words of every `size`th document from number `rank` on.
  private func counts(
    _ trainer: any TokenizerTrainer, rank: Int, of size: Int, _ threads: Int
  ) throws -> WordCounts {
    /// So many bytes are held at a time.
    let batchBytes = 16 << 20
    var counts = WordCounts()
    var batch: [[UInt8]] = []
    var held = 0
    var number = 0
    func add(_ document: @autoclosure () -> [UInt8]) {
      defer { number += 1 }
      guard number % size == rank else { return }
      batch.append(document())
      held += batch[batch.count - 1].count
      guard held >= batchBytes else { return }
      counts.add(batch, cutBy: trainer, threads: threads)
      batch.removeAll(keepingCapacity: true)
      held = 0
    }
    if let world = Aviary(sources: sources, seed: 1) {
      for index in 0..<stories {
        add(Array(world.text(at: index).utf8))
        add(Array(world.instruction(at: index).text.utf8))
      }
    } else {
      var documents = DocumentStream(try SourceList(sources).files, textField: textField)
      while let document = try documents.next() { add(document.bytes) }
    }
    counts.add(batch, cutBy: trainer, threads: threads)
    return counts
  }
}

/// A command that learns a tokenizer; as a stage of a recipe, where MPI runs already, in one process.
protocol TokenizerLearner: ParsableCommand {
  func learn(alone: Bool) throws
}

extension TokenizerLearner {
  func run() throws { try learn(alone: false) }
}
