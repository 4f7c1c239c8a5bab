import ArgumentParser
import Foundation
import Tokenizers

/// `apus tokenizer train`: learns a tokenizer from a corpus; see `TokenizerCorpus`.
struct TokenizerTrainCommand: TokenizerLearner {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a tokenizer: byte-level BPE as GPT-2's, WordPiece as BERT's, Unigram as T5's.")

  @OptionGroup var corpus: TokenizerCorpus

  @Option(help: "bpe, wordpiece or unigram.")
  var kind = TokenizerKind.bpe

  @Option(
    help: "Entries of the vocabulary, special tokens and single bytes or characters included.")
  var vocabulary = 8192

  @Option(help: "Pairs seen less often are not merged (bpe, wordpiece).")
  var minimumFrequency = 2

  @Flag(help: "Keep capitals and accents apart (wordpiece).")
  var cased = false

  @Option(help: "chatml, llama3 or plain: kept with the tokenizer, its markers special tokens.")
  var template: ChatTemplate?

  func validate() throws {
    if cased, kind != .wordpiece {
      throw ValidationError("--cased is of no use with --kind \(kind.rawValue): it keeps both.")
    }
  }

  func learn(alone: Bool) throws {
    let trainer = try trainer()
    try corpus.count(for: trainer, alone: alone) { counts, threads in
      let tokenizer = try learn(trainer, counts, threads)
      try TokenizerFile.save(tokenizer, toFolder: corpus.output, template: template)
      try StandardOutput.print(
        "\(corpus.output)/tokenizer.json: \(tokenizer.vocabularySize) entries")
    }
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
}

extension TokenizerKind: ExpressibleByArgument {}
