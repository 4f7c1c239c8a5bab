import Checkpoints
import Configuration
import Datasets
import Models
import Tokenizers

/// The model that a phase goes on from, with what it needs to read examples.
struct PhaseModel {
  /// Its folder.
  let folder: ModelFolder
  /// Positions of a row.
  let context: Int
  /// How conversations are written; nil where nobody said and none is needed.
  let template: ChatTemplate?
  /// Tells its weights from any other.
  let digest: String

  /// Looks at the folder that `start` names.
  init(_ start: StartOptions, template: ExampleDataOptions.Template, _ reader: ConfigurationReader)
    throws
  {
    folder = try start.folder(reader)
    context = start.context ?? folder.configuration.context
    self.template = try PhaseModel.template(template, of: folder)
    digest = try folder.weightsDigest()
  }

  /// Looks at the folder that `start` names, for a phase without conversations: a template that is kept
  /// there goes on with the model, if it can be used.
  init(_ start: StartOptions, _ reader: ConfigurationReader) throws {
    folder = try start.folder(reader)
    // An encoder without a head gets a new one.
    if !(folder.network is TextEncoderConfiguration) { _ = try folder.languageModel() }
    context = start.context ?? folder.configuration.context
    template = try PhaseModel.usableTemplate(of: folder)
    digest = try folder.weightsDigest()
  }

  /// The template that is kept in `folder`; nil where there is none, or one that is not supported.
  private static func usableTemplate(of folder: ModelFolder) throws -> ChatTemplate? {
    do {
      return try TokenizerFile.template(from: folder.path, for: folder.tokenizer)
    } catch TokenizerError.unusableTemplate {
      return nil
    }
  }

  /// The template as typed, or the one kept in `folder`, or plain.
  static func template(
    _ typed: ExampleDataOptions.Template, of folder: ModelFolder
  ) throws -> ChatTemplate {
    switch typed {
    case .auto: try TokenizerFile.template(from: folder.path, for: folder.tokenizer) ?? .plain
    case .chatml: .chatml
    case .llama3: .llama3
    case .plain: .plain
    }
  }

  /// Refuses a network that writes no text: a sequence scorer, or a model of masked tokens.
  ///
  /// - Parameter allowingTargets: Whether one may write a target to a source.
  func requireLanguageModel(allowingTargets: Bool = false) throws(CheckpointError) {
    if let scorer = folder.scorer {
      throw .otherNetwork(
        path: folder.path, found: PhaseModel.name(of: scorer), wanted: "a language model")
    }
    try folder.requireWriter(allowingTargets: allowingTargets)
  }

  /// Refuses a sequence scorer whose scores mean something else than those of `network`; a language
  /// model gets a new head.
  func requireHead(of network: SequenceScorerConfiguration) throws(CheckpointError) {
    if folder.network is TokenTaggerConfiguration {
      throw .otherNetwork(
        path: folder.path, found: folder.kind,
        wanted: "a language model or \(PhaseModel.name(of: network))")
    }
    try folder.requireOneStack()
    guard let scorer = folder.scorer else { return }
    guard scorer.labels == network.labels, scorer.problem == network.problem else {
      throw .otherNetwork(
        path: folder.path, found: PhaseModel.name(of: scorer),
        wanted: "a language model or \(PhaseModel.name(of: network))")
    }
  }

  /// Refuses a network whose head means something else than that of `network`.
  func requireHead(of network: TokenTaggerConfiguration) throws(CheckpointError) {
    try folder.requireOneStack()
    let own = folder.network as? TokenTaggerConfiguration
    guard folder.scorer == nil, own.map({ $0.labels == network.labels }) ?? true else {
      throw .otherNetwork(
        path: folder.path,
        found: folder.kind + (own.map { ", \($0.labels.joined(separator: ", "))" } ?? ""),
        wanted: "a language model, or one that gives tokens the classes "
          + network.labels.joined(separator: ", "))
    }
  }

  private static func name(of network: SequenceScorerConfiguration) -> String {
    "a model that scores sequences by " + network.labels.prefix(5).joined(separator: ", ")
      + (network.labels.count > 5 ? " …" : "")
  }

  /// Questions and answers as the sources and targets of the model.
  func targets(
    of records: [LocatedRecord], _ options: Datasets.ExampleOptions
  ) throws(DatasetError) -> SourceTargetSet {
    let (tokenizer, model) = (folder.tokenizer, folder.configuration)
    let start = model.start.map { TokenID($0) } ?? tokenizer.endOfText
    return try SourceTargetSet(
      records, tokenizer: tokenizer, start: start,
      padding: model.padding.map { TokenID($0) } ?? start, options: options)
  }

  /// Writes conversations for the model.
  var chat: ChatEncoder { ChatEncoder(template ?? .plain, tokenizer: folder.tokenizer) }

  /// What decides the bits beside the keys of every run.
  func terms(_ records: RecordSet) -> [String: String] {
    [
      "model.from": digest, "model.context": "\(context)",
      "template": (template ?? .plain).identity, "examples": records.identity,
    ]
  }
}

extension ExampleDataOptions {
  /// Reads the records.
  func records() throws -> RecordSet {
    try RecordSet(
      reading: train,
      validation: validation.isEmpty ? .fraction(validationShare) : .files(validation),
      skipsBad: skipsBad)
  }

  /// How examples are made of them, for rows of `context` positions.
  func making(context: Int) -> Datasets.ExampleOptions {
    Datasets.ExampleOptions(context: context, truncates: truncates, skipsBad: skipsBad)
  }
}
