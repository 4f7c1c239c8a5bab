import Configuration
import Models

/// What the user typed about a fine-tuning run: the keys of every run, and its own.
public struct FinetuningOptions: Sendable {
  /// What is learned.
  public enum Task: String, Sendable, CaseIterable {
    /// The assistant's answers in conversations.
    case chat
    /// The classes of labelled texts.
    case classification
    /// The values of labelled texts.
    case regression
    /// The tags of words.
    case tokens
  }

  /// The keys of every run.
  public var training: TrainingOptions
  /// The model that is fine-tuned.
  public var start: StartOptions
  /// Low-rank adaptation.
  public var adapters: AdapterOptions
  /// What is learned.
  public var task: Task
  /// The examples.
  public var data: ExampleDataOptions
  /// The classes, or nil for all that the examples name.
  public var classes: [String]?

  /// Reads every key; refuses what the keys themselves cannot mean.
  public init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    let place = try RunPlace(&reader, run: "runs/finetuned")
    start = try StartOptions(&reader)
    adapters = try AdapterOptions(&reader)
    task = try reader.choice(
      "task", default: .chat,
      help:
        "chat: answers in conversations; classification and regression: labelled texts; tokens: "
        + "words with tags")
    data = try ExampleDataOptions(
      &reader, what: "conversations, labelled texts, or words with tags")
    let classes = try reader.strings(
      "data.classes", default: [],
      help: "names of the classes; when absent those of a classifier to go on from, else all that "
        + "the texts name")
    self.classes = classes.isEmpty ? nil : classes
    var defaults = TrainingOptions.Defaults()
    defaults.sequencesHelp = "rows in a micro-batch; conversations are packed into them"
    defaults.learningRate = 1e-4
    defaults.finalRate = 1e-5
    defaults.weightDecay = 0.01
    defaults.warmup = 50
    training = try TrainingOptions(&reader, at: place, defaults: defaults)
    let idle = task == .chat ? "data.classes" : "data.template"
    if reader.isChanged(idle) || task == .regression && reader.isChanged("data.classes") {
      throw reader.rejection(
        of: reader.isChanged(idle) ? idle : "data.classes",
        because: "it has no effect with task: \(task.rawValue); leave it out")
    }
  }
}

extension FinetuningOptions {
  /// The classes that are known before the texts are: those typed, or those of the classifier that the
  /// run goes on from; nil for all that the texts name.
  func classes(
    of model: PhaseModel, _ reader: ConfigurationReader
  ) throws(ConfigurationError) -> [String]? {
    let scorer = model.folder.scorer.flatMap { $0.problem == .classification ? $0.labels : nil }
    let tagger = model.folder.network as? TokenTaggerConfiguration
    guard let known = task == .tokens ? tagger?.labels : scorer else { return classes }
    if let classes, classes != known {
      throw reader.rejection(
        of: "data.classes",
        because: "the classifier in \(model.folder.path) knows "
          + "\(known.joined(separator: ", ")), in this order; leave it out, or begin with a "
          + "language model")
    }
    return known
  }
}
