import ArgumentParser
import Aviary
import Datasets
import Foundation
import MPI
import Tokenizers

/// The corpus that a tokenizer is trained on, and the folder of the tokenizer.
///
/// Every rank reads the corpus and counts the words of its share of the documents on its threads.
/// Rank 0 adds the counts, trains on them on its threads and writes the tokenizer, which does not
/// depend on the numbers of ranks and threads.
struct TokenizerCorpus: ParsableArguments {
  @Argument(help: "Text files (.txt, .jsonl, .gz), folders or globs; or aviary or aviary-small.")
  var sources: [String]

  @Option(help: "Folder to write tokenizer.json into.")
  var output: String

  @Option(help: "Number of stories when the source is an aviary, each with its instruction.")
  var stories = 20_000

  @Option(help: "JSON field that holds the text.")
  var textField = "text"

  @Option(help: "Threads per rank (default: cores of the host ÷ its ranks).")
  var threads: Int?

  func validate() throws {
    try requireOneOrMore(stories, of: "--stories")
    try requireOneOrMore(threads, of: "--threads")
  }

  /// Counts the words of the corpus as `trainer` splits them, and calls `finish` on rank 0 with the
  /// sum over all ranks and the number of threads.
  ///
  /// With `alone`, or without `mpirun`, this process counts alone and MPI is not initialised.
  func count(
    for trainer: any TokenizerTrainer, alone: Bool = false,
    finish: (WordCounts, _ threads: Int) throws -> Void
  ) throws {
    guard Ranks.isDistributed, !alone else { return try count(trainer, nil, nil, finish) }
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

  /// Counts the words of the documents whose number is `rank` modulo `size`.
  private func counts(
    _ trainer: any TokenizerTrainer, rank: Int, of size: Int, _ threads: Int
  ) throws -> WordCounts {
    /// Bytes of documents that are held in memory at a time.
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

/// A command that trains a tokenizer on a corpus.
protocol TokenizerTraining: ParsableCommand {
  /// Trains and writes the tokenizer.
  ///
  /// - Parameter alone: True to use this process only, as in a recipe, where MPI already runs.
  func train(alone: Bool) throws
}

extension TokenizerTraining {
  func run() throws { try train(alone: false) }
}
