import ArgumentParser
import Aviary
import DataParallel
import Datasets
import MPI
import Tokenizers
import Training

/// The corpus that a tokenizer is trained on, and the folder of the tokenizer.
///
/// Every rank reads the corpus and counts the words of its share of the documents on its threads.
/// Rank 0 adds the counts, trains on them on its threads and writes the tokenizer, which does not
/// depend on the numbers of ranks and threads.
struct TokenizerCorpus: ParsableArguments {
  @Argument(
    help: """
      Text files (.txt, .jsonl, .gz), folders or globs; or aviary or aviary-small, the synthetic \
      stories of apus data aviary.
      """)
  var sources: [String]

  @Option(help: "Folder to write tokenizer.json into.")
  var output: String

  @Option(help: "Number of stories when the source is an aviary, each with its instruction.")
  var stories = 20_000

  @Option(help: "JSON field that holds the text.")
  var textField = "text"

  @OptionGroup var ranks: RankArguments

  /// The paths among the sources.
  var files: [String] { Aviary(sources: sources, seed: 1) == nil ? sources : [] }

  func validate() throws {
    try requireOneOrMore(stories, of: "--stories")
  }

  /// Counts the words of the corpus as `trainer` splits them, and calls `finish` on rank 0 with the
  /// sum over all ranks.
  ///
  /// Collective.
  func count(
    for trainer: any TokenizerTrainer, _ world: Communicator, threads: Int,
    finish: (WordCounts) throws -> Void
  ) throws {
    let own = try world.together {
      try counts(trainer, rank: world.rank, of: world.size, threads)
    }
    let parts = try world.allGatherV(own.bytes)
    try world.together {
      guard world.rank == 0 else { return }
      var counts = WordCounts()
      for part in parts { counts.add(WordCounts(bytes: part)) }
      try finish(counts)
    }
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
      if rank == 0, let note = documents.skipped.emptyFilesNote { Failure.report("\(note).") }
    }
    counts.add(batch, cutBy: trainer, threads: threads)
    return counts
  }
}

/// A command that trains a tokenizer on a corpus.
protocol TokenizerTraining: CollectiveSubcommand {
  var corpus: TokenizerCorpus { get }
}

extension TokenizerTraining {
  var ranks: RankArguments { corpus.ranks }
  var inputs: [String] { corpus.files }
  var outputs: [String] { [corpus.output] }
}
