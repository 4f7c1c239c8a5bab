import Files
import Monitoring

/// The figures of `apus evaluate` in words.
enum FigureLegend {
  /// The meaning of every figure by its name.
  static let meanings = [
    "tokens": "tokens that the loss counts",
    "loss": "mean loss of the tokens, in nats; lower is better",
    "perplexity": "e to the loss; lower is better",
    "bitsPerByte": "the loss per byte of text, comparable across tokenizers; lower is better",
    "maskedLoss": "mean loss of the masked tokens, in nats; lower is better",
    "maskedPerplexity": "e to that loss; lower is better",
    "spanLoss": "mean loss of the tokens of corrupted spans, in nats; lower is better",
    "spanPerplexity": "e to that loss; lower is better",
    "records": "records evaluated",
    "leftOut": "records cut or left out, and not measured whole; empty files of texts",
    "answerLoss": "mean loss of the tokens of the answers, in nats; lower is better",
    "answerPerplexity": "e to that loss; lower is better",
    "tokenAccuracy": "fraction of the answers' tokens that are the most likely ones",
    "exactMatch": "fraction of answers whose tokens all are the most likely ones",
    "accuracy": "fraction of records, words or pairs that are predicted right",
    "macroF1": "F1 averaged over the classes",
    "spanF1": "F1 of whole tagged spans",
    "meanSquaredError": "mean squared difference of the predicted values; lower is better",
    "margin": "mean reward of the preferred answer minus that of the other",
    "calibrationError": "mean distance of predicted from observed preferences; lower is better",
    "swapAgreement": "fraction of pairs with the same winner in either order",
    "lengthCorrelation": "correlation of reward and length; best near 0",
    "answers": "answers sampled, one to each instruction",
    "followed": "fraction of answers that keep every fact of their instruction",
    "factsKept": "fraction of the instructions' facts that the answers keep",
    "kind": "fraction of answers with a kind ending",
    "consistent": "fraction of answers that are stories without a contradiction",
    "ended": "fraction of answers that end within --tokens",
  ]

  /// The meaning of the loss of a classifier or reward model, beside which no tokens are counted.
  private static let lossOfRecords = "mean loss of the records, words or pairs; lower is better"

  /// The figures that count something.
  static let counts: Set = ["tokens", "records", "leftOut", "answers"]

  /// Returns the lines that explain the figures `names`.
  static func lines(of names: [String]) -> [String] {
    let rows = names.map { name in
      let isOfRecords = name == "loss" && !names.contains("tokens")
      return [name, isOfRecords ? lossOfRecords : meanings[name] ?? ""]
    }
    return rows.isEmpty ? [] : TextTable.lines(of: rows)
  }
}
