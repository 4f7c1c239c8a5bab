import ArgumentParser
import Tokenizers

/// `apus tokenizer extend`: gives a tokenizer tokens for the words that a corpus uses often and that it
/// splits; see `VocabularyExtension`.
struct TokenizerExtendCommand: TokenizerLearner {
  static let configuration = CommandConfiguration(
    commandName: "extend",
    abstract: "Give a tokenizer of BPE or WordPiece new tokens for the frequent words of a corpus.",
    discussion: """
      The old tokens keep their ids. A model learns the new ones with apus pretrain, model.from: its \
      folder and tokenizer: the output of this.
      """)

  @Argument(help: "bytes, or a folder or tokenizer.json.")
  var tokenizer: String

  @OptionGroup var corpus: TokenizerCorpus

  @Option(help: "New tokens; the merges that lead to a word count as well.")
  var tokens = 1000

  @Option(help: "Words seen less often get no token.")
  var minimumFrequency = 5

  func validate() throws {
    if !(1...1 << 20).contains(tokens) {
      throw ValidationError("--tokens must be in 1…\(1 << 20), not \(tokens).")
    }
  }

  func learn(alone: Bool) throws {
    let base = try TokenizerCommand.load(tokenizer)
    let learner = try VocabularyExtension(
      of: base, tokens: tokens, minimumFrequency: minimumFrequency)
    let template = try TokenizerCommand.template(of: tokenizer, base)
    try corpus.count(for: learner, alone: alone) { counts, threads in
      let extended = try learner.train(on: counts, threads: threads)
      guard extended.vocabularySize > base.vocabularySize else {
        throw Failure.Refusal(
          "No word of \(corpus.sources.joined(separator: ", ")) that \(tokenizer) splits occurs "
            + "\(minimumFrequency) times: lower --minimum-frequency or name more text.")
      }
      try TokenizerFile.save(extended, toFolder: corpus.output, template: template)
      try StandardOutput.print(
        "\(corpus.output)/tokenizer.json: \(extended.vocabularySize) entries, "
          + "\(extended.vocabularySize - base.vocabularySize) of them new")
    }
  }
}
