import ArgumentParser
import DataParallel
import Files
import MPI
import Tokenizers
import Training

/// `apus tokenizer extend`: adds tokens for frequent words of a corpus that a tokenizer splits.
struct TokenizerExtendCommand: TokenizerTraining {
  static let configuration = CommandConfiguration(
    commandName: "extend",
    abstract: "Add tokens to a BPE or WordPiece tokenizer for the frequent words of a corpus.",
    discussion: """
      Existing tokens keep their ids. To train a model on the new ones, run apus pretrain with \
      model.from set to the model and tokenizer to the output folder.
      """)

  @Argument(help: "Tokenizer: bytes, or the path of a tokenizer file or folder.")
  var tokenizer: String

  @OptionGroup var corpus: TokenizerCorpus

  @Option(help: "Maximum number of new tokens, including the intermediate merges of words.")
  var tokens = 1000

  @Option(help: "Occurrences below which a word gets no token.")
  var minimumFrequency = 5

  func validate() throws {
    if !(1...1 << 20).contains(tokens) {
      throw ValidationError("--tokens must be in 1…\(1 << 20), not \(tokens).")
    }
  }

  var inputs: [String] { corpus.files + TokenizerCommand.path(tokenizer) }

  func run(_ world: Communicator, _ workers: Cores.Assignment) throws {
    let (base, learner, template) = try world.together {
      () -> (any Tokenizer, VocabularyExtension, ChatTemplate?) in
      let base = try TokenizerCommand.load(tokenizer)
      return (
        base,
        try VocabularyExtension(of: base, tokens: tokens, minimumFrequency: minimumFrequency),
        try TokenizerCommand.template(of: tokenizer, base)
      )
    }
    try corpus.count(for: learner, world, threads: workers.threads) { counts in
      let extended = try learner.train(on: counts, threads: workers.threads)
      guard extended.vocabularySize > base.vocabularySize else {
        throw Failure.Refusal(
          "No word of \(corpus.sources.joined(separator: ", ")) that \(tokenizer) splits occurs "
            + "\(minimumFrequency, "time"): lower --minimum-frequency or give more text.")
      }
      try TokenizerFile.save(extended, toFolder: corpus.output, template: template)
      try StandardOutput.print(
        "\(corpus.output)/tokenizer.json: \(extended.vocabularySize) entries, "
          + "\(extended.vocabularySize - base.vocabularySize) of them new")
    }
  }
}
