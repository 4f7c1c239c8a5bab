import ArgumentParser
import Checkpoints
import Datasets
import Files
import Foundation
import Models
import Tensors
import Tokenizers
import Training

/// `apus embed`: embeddings of texts, or their cosine similarities.
struct EmbedCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "embed", abstract: "Compute embeddings of texts, or their cosine similarities.",
    discussion: """
      apus embed runs/bert "The weather is lovely." "It is sunny." --cosines

      Prints one JSON object per line with text and vector; with --cosines, the matrix of cosine \
      similarities. The embedding is the mean of the final hidden states, or with --pooling pooled \
      the output of the encoder's pooler for the first token.
      """)

  /// The reduction of the hidden states of a text to one vector.
  enum Pooling: String, ExpressibleByArgument, CaseIterable {
    case mean, pooled
  }

  @Argument(help: "Run folder, checkpoint or Hugging Face folder.")
  var model: String

  @Argument(help: "Texts to embed.")
  var texts: [String] = []

  @Option(help: "File with one text per line, instead of arguments.")
  var file: String?

  @Option(help: "Pooling: mean of all hidden states, or pooled by the encoder's pooler.")
  var pooling = Pooling.mean

  @Flag(help: "Print the cosine similarities of the texts.")
  var cosines = false

  @OptionGroup var threads: ThreadArguments

  /// Texts per forward pass.
  private static let group = 16

  func validate() throws {
    if texts.isEmpty == (file == nil) {
      throw ValidationError("Give texts as arguments or in a file with --file, not both.")
    }
  }

  func run() throws {
    MatrixLibrary.useCallingThreadOnly()
    let texts = try readTexts()
    let loaded = try LoadedEncoder(path: model)
    loaded.notes.forEach(Failure.report)
    if pooling == .pooled, !loaded.configuration.hasPooler {
      throw Failure.Refusal(
        "\(model) has no pooler, which only encoders with a sequence head have: use --pooling "
          + "mean.")
    }
    let team = try threads.team()
    defer { team?.stop() }
    let workspace = Workspace(team: team)
    let encoder = workspace.bind(
      loaded.layout, values: loaded.parameters, loaded.configuration.build)
    var vectors: [[Float]] = []
    for start in stride(from: 0, to: texts.count, by: Self.group) {
      let part = texts[start..<min(texts.count, start + Self.group)]
      vectors += try self.vectors(Array(part), encoder, loaded)
      if !cosines {
        for (text, vector) in zip(part, vectors.suffix(part.count)) {
          // The weights are finite, and the norms keep activations so, as JSON requires.
          try StandardOutput.print(json: Line(text: text, vector: vector))
        }
      }
    }
    if cosines { try printCosines(vectors) }
  }

  private func readTexts() throws -> [String] {
    guard let file else { return texts }
    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
      throw Failure.Refusal("\(file) cannot be read as UTF-8 text: correct the path or the file.")
    }
    let lines = text.split(whereSeparator: \.isNewline).map(String.init)
    guard !lines.isEmpty else { throw Failure.Refusal("\(file) has no text: write one per line.") }
    return lines
  }

  private func vectors(
    _ texts: [String], _ encoder: TextEncoder, _ loaded: LoadedEncoder
  ) throws -> [[Float]] {
    let model = loaded.configuration.model
    let ids = try texts.map { text in
      let ids = loaded.tokenizer.encodeWithSpecialTokens(text)
      guard (1...model.context).contains(ids.count) else {
        throw Failure.Refusal(
          "\"\(text.prefix(40))\" has \(ids.count, "token"), but the model reads 1 to "
            + "\(model.context): change the text.")
      }
      return ids
    }
    var batch = Batch()
    batch.begin(
      texts: ids, padding: model.padding.map { TokenID($0) } ?? loaded.tokenizer.endOfText)
    let (inputs, examples, pass) = (batch.inputs, batch.examples, batch.pass())
    guard pooling == .pooled else { return encoder.mean(inputs, texts: examples, pass) }
    return encoder.pooled(inputs, texts: examples, pass) ?? []
  }

  private func printCosines(_ vectors: [[Float]]) throws {
    func product(_ a: [Float], _ b: [Float]) -> Double {
      zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    for a in vectors {
      let row = vectors.map { b in
        product(a, b) / (product(a, a) * product(b, b)).squareRoot()
      }
      try StandardOutput.print(row.map { String(format: "%7.4f", $0) }.joined(separator: " "))
    }
  }

  private struct Line: Encodable {
    let text: String
    let vector: [Float]
  }
}
