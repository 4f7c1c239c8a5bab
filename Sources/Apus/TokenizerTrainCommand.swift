import ArgumentParser
import Aviary
import Datasets
import Foundation
import MPI
import Tokenizers

/// `apus tokenizer train`: learns a tokenizer from a corpus.
///
/// Every rank reads the corpus and counts the words of its share of the documents on its threads; rank
/// 0 adds the counts, learns from them on its threads and writes. The tokenizer is the same for any
/// number of ranks and threads.
struct TokenizerTrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a tokenizer: byte-level BPE as GPT-2's, WordPiece as BERT's, Unigram as T5's.")

  @Argument(help: "Files (.txt, .jsonl, .gz), folders and globs; aviary or aviary-small.")
  var sources: [String]

  @Option(help: "Folder to write tokenizer.json into.")
  var output: String

  @Option(help: "bpe, wordpiece or unigram.")
  var kind = TokenizerKind.bpe

  @Option(
    help: "Entries of the vocabulary, special tokens and single bytes or characters included.")
  var vocabulary = 8192

  @Option(help: "Pairs seen less often are not merged (bpe, wordpiece).")
  var minimumFrequency = 2

  @Flag(help: "Keep capitals and accents apart (wordpiece).")
  var cased = false

  @Option(help: "Stories to write when the source is an aviary, each with an instruction for it.")
  var stories = 20_000

  @Option(help: "Field of JSON lines that holds the text.")
  var textField = "text"

  @Option(help: "chatml, llama3 or plain: kept with the tokenizer, its markers special tokens.")
  var template: ChatTemplate?

  @Option(help: "Threads per rank; the host's cores ÷ its ranks when absent.")
  var threads: Int?

  func validate() throws {
    if stories < 1 { throw ValidationError("--stories must be at least 1, not \(stories).") }
    if let threads, threads < 1 {
      throw ValidationError("--threads must be at least 1, not \(threads).")
    }
    if cased, kind != .wordpiece {
      throw ValidationError("--cased is of no use with --kind \(kind.rawValue): it keeps both.")
    }
  }

  func run() throws {
    let trainer = try trainer()
    guard Ranks.areSeveral else { return try run(trainer, world: nil) }
    var arguments = RankArguments()
    arguments.threads = threads
    arguments.oversubscribe = true
    try arguments.run { world, workers in
      try run(trainer, world: world, threads: workers.threads)
    }
  }

  /// Trains in this process alone, as a stage of a recipe.
  func runAlone() throws {
    try run(try trainer(), world: nil)
  }

  private func run(_ trainer: any TokenizerTrainer, world: Communicator?, threads: Int? = nil)
    throws
  {
    let threads =
      threads ?? self.threads ?? max(1, ProcessInfo.processInfo.activeProcessorCount)
    var counts = try counts(trainer, rank: world?.rank ?? 0, of: world?.size ?? 1, threads)
    if let world, world.size > 1 {
      let parts = try world.allGatherV(counts.bytes)
      guard world.rank == 0 else { return }
      counts = WordCounts()
      for part in parts { counts.add(WordCounts(bytes: part)) }
    }
    let tokenizer = try learn(trainer, counts, threads)
    try TokenizerFile.save(tokenizer, toFolder: output, template: template)
    try StandardOutput.print("\(output)/tokenizer.json: \(tokenizer.vocabularySize) entries")
  }

  private func learn(
    _ trainer: any TokenizerTrainer, _ counts: WordCounts, _ threads: Int
  ) throws -> any Tokenizer {
    do {
      return try trainer.train(on: counts, threads: threads)
    } catch {
      guard case .vocabularyTooSmall(_, let minimum) = error else { throw error }
      throw Failure.Refusal(
        "--vocabulary \(vocabulary) has no room for the special tokens and the characters of the "
          + "corpus: choose at least \(minimum).")
    }
  }

  private func trainer() throws -> any TokenizerTrainer {
    let markers = template?.markers ?? []
    switch kind {
    case .bpe:
      let specialTokens = [ByteTokenizer.endOfTextToken] + markers
      let least = 256 + specialTokens.count
      guard vocabulary >= least else {
        throw Failure.Refusal(
          "--vocabulary \(vocabulary) has no room for the 256 bytes and the special tokens "
            + specialTokens.joined(separator: ", ") + ": choose at least \(least).")
      }
      return try BytePairTrainer(
        vocabularySize: vocabulary, minimumFrequency: minimumFrequency,
        specialTokens: specialTokens)
    case .wordpiece:
      return try WordPieceTrainer(
        vocabularySize: vocabulary, minimumFrequency: minimumFrequency, lowercases: !cased,
        otherSpecialTokens: markers)
    case .unigram:
      return try UnigramTrainer(vocabularySize: vocabulary, otherSpecialTokens: markers)
    }
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

extension TokenizerKind: ExpressibleByArgument {}
