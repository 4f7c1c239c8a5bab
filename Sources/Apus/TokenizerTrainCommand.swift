import ArgumentParser
import DataParallel
import MPI
import Tokenizers
import Training

/// `apus tokenizer train`: trains a tokenizer on a corpus.
struct TokenizerTrainCommand: TokenizerTraining {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a tokenizer: byte-level BPE (GPT-2), WordPiece (BERT) or Unigram (T5).")

  @OptionGroup var corpus: TokenizerCorpus

  @Option(help: "Algorithm: bpe, wordpiece or unigram.")
  var kind = TokenizerKind.bpe

  @Option(
    help: "Size of the vocabulary, including special tokens and single bytes or characters.")
  var vocabulary = 8192

  @Option(help: "Occurrences below which a pair is not merged (bpe, wordpiece).")
  var minimumFrequency = 2

  @Flag(help: "Keep capitals and accents (wordpiece).")
  var cased = false

  @Option(
    help: "Chat template to store, with its special tokens: chatml, llama3 or plain.")
  var template: ChatTemplate?

  /// Sixty times the largest published vocabulary.
  private static let largestVocabulary = 1 << 24

  func validate() throws {
    if cased, kind != .wordpiece {
      throw ValidationError("--cased is for wordpiece; \(kind.rawValue) keeps capitals anyway.")
    }
    guard vocabulary <= Self.largestVocabulary else {
      throw ValidationError(
        "--vocabulary \(vocabulary) is above \(Self.largestVocabulary), the largest possible: "
          + "choose a size such as 32000.")
    }
  }

  func run(_ world: Communicator, _ workers: Cores.Assignment) throws {
    let trainer = try world.together { try self.trainer() }
    try corpus.count(for: trainer, world, threads: workers.threads) { counts in
      let tokenizer = try train(trainer, counts, workers.threads)
      try TokenizerFile.save(tokenizer, toFolder: corpus.output, template: template)
      try StandardOutput.print(
        "\(corpus.output)/tokenizer.json: \(tokenizer.vocabularySize) entries")
    }
  }

  private func train(
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
}

extension TokenizerKind: ExpressibleByArgument {}
