import Checkpoints
import Configuration
import Datasets
import Models
import Tokenizers
import Training

extension InitialModel {
  /// Opens the folder that `start` names.
  ///
  /// - Parameter choice: The chat template; nil in a phase without conversations, which continues a
  ///   language model and keeps the template of its folder if it is supported.
  init(
    _ start: StartOptions, template choice: ExampleDataOptions.Template?,
    _ reader: ConfigurationReader
  ) throws {
    let folder = try start.folder(reader)
    // An encoder without a head gets a new one.
    if choice == nil, !(folder.network is TextEncoderConfiguration) {
      _ = try folder.languageModel()
    }
    self.init(
      folder: folder, context: start.context ?? folder.configuration.context,
      template: try choice.map { try InitialModel.template($0, of: folder) }
        ?? InitialModel.usableTemplate(of: folder),
      digest: try folder.weightsDigest())
  }

  /// The template in `folder`; nil when there is none or it is not supported.
  private static func usableTemplate(of folder: ModelFolder) throws -> ChatTemplate? {
    do {
      return try folder.chatTemplate()
    } catch TokenizerError.unusableTemplate {
      return nil
    }
  }

  /// Returns the template that `choice` names; `auto` is the one in `folder`, or else plain.
  static func template(
    _ choice: ExampleDataOptions.Template, of folder: ModelFolder
  ) throws -> ChatTemplate {
    switch choice {
    case .auto: try folder.chatTemplate() ?? .plain
    case .chatml: .chatml
    case .llama3: .llama3
    case .plain: .plain
    }
  }

  /// Refuses a network that generates no text: a sequence classifier or a masked language model.
  ///
  /// - Parameter allowingSequenceToSequence: True to accept sequence-to-sequence models.
  func requireLanguageModel(allowingSequenceToSequence: Bool = false) throws(CheckpointError) {
    if let classifier = folder.classifier {
      throw .otherNetwork(
        path: folder.path, found: InitialModel.name(of: classifier), wanted: "a language model")
    }
    try folder.requireGenerativeModel(allowingSequenceToSequence: allowingSequenceToSequence)
  }

  /// Refuses a sequence classifier whose labels or problem differ from those of `network`, and a
  /// token classifier; a language model gets a new head.
  ///
  /// The name of a single value does not matter: transformers and TRL call it LABEL_0.
  func requireHead(of network: SequenceClassifierConfiguration) throws(CheckpointError) {
    if folder.network is TokenClassifierConfiguration {
      throw .otherNetwork(
        path: folder.path, found: folder.kind,
        wanted: "a language model or \(InitialModel.name(of: network))")
    }
    try folder.refuseEncoderDecoder()
    guard let classifier = folder.classifier else { return }
    let isOneValue =
      network.problem == .regression && classifier.labels.count == network.labels.count
    guard classifier.labels == network.labels || isOneValue, classifier.problem == network.problem
    else {
      throw .otherNetwork(
        path: folder.path, found: InitialModel.name(of: classifier),
        wanted: "a language model or \(InitialModel.name(of: network))")
    }
  }

  /// Refuses a sequence classifier, and a token classifier whose labels differ from those of
  /// `network`; a language model gets a new head.
  func requireHead(of network: TokenClassifierConfiguration) throws(CheckpointError) {
    try folder.refuseEncoderDecoder()
    let own = folder.network as? TokenClassifierConfiguration
    guard folder.classifier == nil, own.map({ $0.labels == network.labels }) ?? true else {
      throw .otherNetwork(
        path: folder.path,
        found: folder.kind
          + (own.map { " (labels: \($0.labels.joined(separator: ", ")))" } ?? ""),
        wanted: "a language model, or a token classifier (labels: "
          + network.labels.joined(separator: ", ") + ")")
    }
  }

  private static func name(of network: SequenceClassifierConfiguration) -> String {
    "\(network.kind) (labels: " + network.labels.prefix(5).joined(separator: ", ")
      + (network.labels.count > 5 ? " …)" : ")")
  }

  /// Returns a padding id that differs from `last`, the id that ends every text; the published one
  /// if possible.
  func padding(otherThan last: TokenID?) -> Int? {
    let published = [folder.padding, folder.generation.padding].compactMap(\.self)
    return folder.tokenizer.padding(otherThan: last, preferring: published)
  }

  /// The encoder of conversations.
  var chat: ChatEncoder { ChatEncoder(template ?? .plain, tokenizer: folder.tokenizer) }

  /// The settings that decide the bits, beside the keys of every run.
  func settings(_ records: RecordSet) -> [String: String] {
    [
      "model.from": digest, "model.context": "\(context)",
      "template": (template ?? .plain).identity, "examples": records.identity,
    ]
  }
}

extension Tokenizer {
  /// Returns a padding id that differs from `last`, the id that ends every text: a decoder's head
  /// reads the last token that is not padding.
  ///
  /// - Returns: The first of `published`, the end of text and all special tokens that differs; nil
  ///   when none does.
  func padding(otherThan last: TokenID?, preferring published: [TokenID]) -> Int? {
    let special = (0..<vocabularySize).map { TokenID($0) }.filter(isSpecial)
    let candidates = published + [endOfText] + special
    return candidates.first { $0 != last && 0..<vocabularySize ~= Int($0) }.map { Int($0) }
  }
}

extension ModelFolder {
  /// The id that pads rows; nil for a model without one.
  var padding: TokenID? { configuration.padding.map { TokenID($0) } }

  /// Returns prompts and answers as encoder and decoder inputs of a sequence-to-sequence model.
  func targets(
    of records: [LocatedRecord], _ options: Datasets.ExampleOptions
  ) throws(DatasetError) -> SourceTargetSet {
    let start = configuration.start.map { TokenID($0) } ?? tokenizer.endOfText
    return try SourceTargetSet(
      records, tokenizer: tokenizer, start: start, padding: padding ?? start, options: options)
  }
}

extension ExampleDataOptions {
  func records() throws -> RecordSet {
    try RecordSet(reading: train, validation: validation, names: fields, skipsBad: skipsBad)
  }

  /// Returns the options for making examples in rows of `context` positions.
  func exampleOptions(context: Int) -> Datasets.ExampleOptions {
    Datasets.ExampleOptions(context: context, truncates: truncates, skipsBad: skipsBad)
  }
}
