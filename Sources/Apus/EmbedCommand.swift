import ArgumentParser
import Checkpoints
import Foundation
import Layers
import Models
import Tensors
import Tokenizers

/// `apus embed`: vectors of texts, or how alike texts are.
struct EmbedCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "embed", abstract: "Give texts vectors, or compare them by these.",
    discussion: """
      apus embed runs/bert "The weather is lovely." "It is sunny." --cosines

      One JSON object a line with text and vector; with --cosines a table of the cosines between \
      the texts. The vector is the mean of a text's hidden states, or with --pooling pooled what the \
      pooler of an encoder makes of its first token.
      """)

  /// What of a text becomes its vector.
  enum Pooling: String, ExpressibleByArgument, CaseIterable {
    case mean, pooled
  }

  @Argument(help: "A run folder, a checkpoint, or a Hugging Face folder.")
  var model: String

  @Argument(help: "Texts.")
  var texts: [String] = []

  @Option(help: "A file with a text on each line, instead.")
  var file: String?

  @Option(help: "mean: of all hidden states; pooled: by an encoder's pooler.")
  var pooling = Pooling.mean

  @Flag(help: "Print the cosines between the texts.")
  var cosines = false

  @Option(help: "Threads that work together; all cores when absent.")
  var threads: Int?

  /// Texts that go through the network together.
  private static let group = 16

  func validate() throws {
    if texts.isEmpty == (file == nil) {
      throw ValidationError("Give texts, or a file of them with --file.")
    }
    if let threads, threads < 1 {
      throw ValidationError("--threads must be at least 1, not \(threads).")
    }
  }

  func run() throws {
    MatrixLibrary.useCallingThreadOnly()
    let texts = try readTexts()
    let loaded = try LoadedEncoder(path: model)
    loaded.notes.forEach(Failure.report)
    if pooling == .pooled, !loaded.configuration.hasPooler {
      throw Failure.Refusal(
        "\(model) has no pooler, which only encoders with a head for texts have: take --pooling "
          + "mean.")
    }
    let team = try GenerationArguments.team(of: threads)
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
          try StandardOutput.print(Line(text: text, vector: vector).json)
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
    guard !lines.isEmpty else { throw Failure.Refusal("\(file) has no text: give it a line.") }
    return lines
  }

  private func vectors(
    _ texts: [String], _ encoder: TextEncoder, _ loaded: LoadedEncoder
  ) throws -> [[Float]] {
    let model = loaded.configuration.model
    let ids = try texts.map { text in
      let ids = loaded.tokenizer.encodeWhole(text)
      guard (1...model.context).contains(ids.count) else {
        throw Failure.Refusal(
          "\"\(text.prefix(40))\" has \(ids.count) tokens and the model reads 1 to "
            + "\(model.context): change the text.")
      }
      return ids
    }
    let length = ids.map(\.count).max() ?? 0
    let padding = model.padding.map { TokenID($0) } ?? loaded.tokenizer.endOfText
    let padded = ids.flatMap { $0 + repeatElement(padding, count: length - $0.count) }
    let lengths = ids.map { Int32($0.count) }
    let pass = ForwardPass(sequences: texts.count)
    guard pooling == .pooled else { return encoder.mean(padded, lengths: lengths, pass) }
    return encoder.pooled(padded, lengths: lengths, pass) ?? []
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

    var json: String {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      // Finite numbers: weights are, and norms keep what comes of them so.
      return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
  }
}
