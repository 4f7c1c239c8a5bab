import Configuration
import Models
import Training

/// The keys of a fine-tuning run.
package struct FinetuningOptions: PhaseOptions {
  /// Tasks of fine-tuning.
  package enum Task: String, Sendable, CaseIterable {
    /// Language modelling of the assistant's answers in conversations.
    case chat
    /// Classification of texts.
    case classification
    /// Regression on texts.
    case regression
    /// Token classification: a tag for every word.
    case tokens
  }

  /// The keys of every run.
  package var training: TrainingOptions
  /// The initial model.
  package var start: StartOptions
  /// LoRA adapters.
  package var adapters: AdapterOptions
  /// The task.
  package var task: Task
  /// The examples.
  package var data: ExampleDataOptions
  /// The classes; nil for all that occur in the examples.
  package var classes: [String]?

  package var inputs: [String] { [start.from] + data.inputs }

  /// Reads every key; throws for values that are invalid by themselves or together.
  package init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    let runOptions = try RunOptions(&reader, run: "runs/finetuned")
    start = try StartOptions(&reader)
    adapters = try AdapterOptions(&reader)
    task = try reader.choice(
      "task", default: .chat,
      help:
        "chat: answers in conversations; classification and regression: labelled texts; tokens: "
        + "tagged words")
    data = try ExampleDataOptions(
      &reader, what: "conversations, labelled texts, or tagged words")
    let classes = try reader.strings(
      "data.classes", default: [],
      help: "names of the classes; when absent those of the initial model if it is a classifier, "
        + "else all that occur in the examples")
    self.classes = classes.isEmpty ? nil : classes
    var defaults = TrainingOptions.Defaults()
    defaults.sequencesHelp = "rows per micro-batch; conversations are packed into them"
    defaults.learningRate = 1e-4
    defaults.weightDecay = 0.01
    defaults.warmup = 50
    training = try TrainingOptions(&reader, runOptions, defaults: defaults)
    let idle =
      switch task {
      case .chat: ["data.classes"]
      case .classification, .tokens: ["data.template"]
      case .regression: ["data.template", "data.classes"]
      }
    try reader.refuse(idle, because: "it has no effect with task: \(task.rawValue); leave it out")
  }
}

extension FinetuningOptions {
  /// Returns the classes that are known before the examples are read: those of the keys, or of an
  /// initial model that is a classifier; nil for all that occur in the examples.
  func classes(
    of model: InitialModel, _ reader: ConfigurationReader
  ) throws(ConfigurationError) -> [String]? {
    let classifier = model.folder.classifier.flatMap {
      $0.problem == .classification ? $0.labels : nil
    }
    let tokenClassifier = model.folder.network as? TokenClassifierConfiguration
    guard let known = task == .tokens ? tokenClassifier?.labels : classifier else { return classes }
    if let classes, classes != known {
      throw reader.rejection(
        of: "data.classes",
        because: "the classifier in \(model.folder.path) has the classes "
          + "\(known.joined(separator: ", ")), in this order; leave the key out, or start from a "
          + "language model")
    }
    return known
  }
}
