import ArgumentParser
import Checkpoints
import Datasets
import Files
import Foundation
import Models
import Monitoring
import Tensors
import Tokenizers
import Training

/// `apus embed`: embeddings of texts, or their cosine similarities.
struct EmbedCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "embed", abstract: "Compute embeddings of texts, or their cosine similarities.",
    discussion: """
      apus embed runs/bert "The weather is lovely." "It is sunny." --cosines

      Prints one JSON object per line with text and vector; with --cosines, the matrix of cosine \
      similarities. The embedding is the mean of the final hidden states, or with --pooling pooled \
      the output of the encoder's pooler for the first token. The settings that \
      sentence-transformers writes beside a model are applied: max_seq_length, do_lower_case, \
      Normalize.
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

  @Option(
    help: "Pooling: mean of all hidden states (default), or pooled by the encoder's pooler.")
  var pooling: Pooling?

  @Flag(help: "Print the cosine similarities of the texts.")
  var cosines = false

  @OptionGroup var threads: ThreadArguments

  var inputs: [String] { [model] + (file.map { [$0] } ?? []) }

  /// Texts per forward pass.
  private static let group = 16

  func validate() throws {
    if texts.isEmpty && file == nil {
      throw ValidationError(
        "The texts are missing; give them as arguments or in a file with --file.")
    }
    if !texts.isEmpty && file != nil {
      throw ValidationError("Give texts as arguments or in a file with --file, not both.")
    }
  }

  func run() throws {
    MatrixLibrary.useCallingThreadOnly()
    let texts = try readTexts()
    let loaded = try LoadedEncoder(path: model)
    loaded.notes.forEach(Failure.report)
    let settings = try SentenceConfiguration(folder: loaded.path)
    if pooling == nil, !settings.others.isEmpty {
      throw Failure.Refusal(
        "\(model) asks for \(settings.others.joined(separator: ", ")), which apus embed does not "
          + "compute: choose another vector with --pooling mean or --pooling pooled.")
    }
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
    let inputs = try ids(of: texts, settings, loaded)
    var vectors: [[Float]] = []
    for start in stride(from: 0, to: texts.count, by: Self.group) {
      let part = start..<min(texts.count, start + Self.group)
      let found = self.vectors(Array(inputs[part]), encoder, loaded)
      vectors += settings.normalizes ? found.map(Self.normalized) : found
      if !cosines {
        for (text, vector) in zip(texts[part], vectors[part]) {
          // The weights are finite, and the norms keep activations so, as JSON requires.
          try StandardOutput.print(json: Line(text: text, vector: vector))
        }
      }
    }
    if cosines { try printCosines(vectors) }
  }

  private func readTexts() throws -> [String] {
    guard let file else { return texts }
    guard let text = String(validating: try Failure.contents(of: file), as: UTF8.self) else {
      throw Failure.Refusal("\(file) cannot be read as UTF-8 text: correct the path or the file.")
    }
    let lines = text.split(whereSeparator: \.isNewline).map(String.init)
    guard !lines.isEmpty else { throw Failure.Refusal("\(file) has no text: write one per line.") }
    return lines
  }

  /// Returns the ids of `texts`; those longer than the settings say are cut before the tokens that
  /// the tokenizer adds behind a text.
  private func ids(
    of texts: [String], _ settings: SentenceConfiguration, _ loaded: LoadedEncoder
  ) throws -> [[TokenID]] {
    let context = loaded.configuration.model.context
    let added = loaded.tokenizer.encodeWithSpecialTokens("")
    var cut = 0
    let ids = try texts.map { text in
      let text = settings.lowercases ? text.lowercased() : text
      var ids = loaded.tokenizer.encodeWithSpecialTokens(text)
      if let longest = settings.longest, ids.count > longest, added.count <= longest {
        let behind = added.count - zip(added, ids).prefix { $0 == $1 }.count
        ids = Array(ids.prefix(longest - behind)) + ids.suffix(behind)
        cut += 1
      }
      guard (1...context).contains(ids.count) else {
        throw Failure.Refusal(
          "\"\(text.prefix(40))\" has \(ids.count, "token"), but the model reads 1 to "
            + "\(context): change the text.")
      }
      return ids
    }
    if cut > 0, let longest = settings.longest {
      Failure.report(
        "\(cut, "text is", "texts are") cut to the \(longest) tokens of max_seq_length in "
          + "\(SentenceConfiguration.fileName).")
    }
    return ids
  }

  private static func normalized(_ vector: [Float]) -> [Float] {
    let norm = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    return norm == 0 ? vector : vector.map { Float(Double($0) / norm) }
  }

  private func vectors(
    _ ids: [[TokenID]], _ encoder: TextEncoder, _ loaded: LoadedEncoder
  ) -> [[Float]] {
    let padding = loaded.configuration.model.padding.map { TokenID($0) }
    var batch = Batch()
    batch.begin(texts: ids, padding: padding ?? loaded.tokenizer.endOfText)
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
      try StandardOutput.print(row.map { $0.decimals(4).padded(to: -7) }.joined(separator: " "))
    }
  }

  private struct Line: Encodable {
    let text: String
    let vector: [Float]
  }
}
