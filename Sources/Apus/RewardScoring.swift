import Checkpoints
import DataParallel
import Layers
import Models
import Tensors
import Tokenizers

/// A reward model, trained by `apus reward`, that scores answers one by one.
struct RewardScoring {
  private let workspace: Workspace
  private let classifier: SequenceClassifier
  private let context: Int
  private let chat: ChatEncoder

  /// Loads the reward model at `path`, to compute in the precision of `arguments` on `team`.
  init(_ path: String, _ arguments: GenerationArguments, _ team: ThreadTeam?) throws {
    let loaded = try LoadedClassifier(path: path)
    loaded.notes.forEach(Failure.report)
    guard loaded.configuration.labels.count == 1 else {
      throw Failure.Refusal(
        "\(path) has \(loaded.configuration.labels.count) outputs per text, but a reward model has "
          + "one: give a model trained by apus reward.")
    }
    workspace = Workspace(precision: arguments.precision.resolved, team: team)
    classifier = workspace.bind(
      ParameterLayout(), values: FlatBuffer(count: 0),
      frozen: FrozenParameters(
        layout: loaded.layout, values: loaded.parameters, precision: workspace.precision),
      loaded.configuration.build)
    context = loaded.configuration.model.context
    let template = try loaded.chatTemplate()
    chat = ChatEncoder(template ?? .plain, tokenizer: loaded.tokenizer)
  }

  /// The score of `answer` to `prompt`; a text longer than the context is truncated at its end.
  func score(_ prompt: [Message], _ answer: [Message]) throws -> Double {
    let ids = try chat.encode(answer, to: Conversation(prompt)).ids.prefix(context)
    let scores = classifier(
      Array(ids), examples: [ids.indices], ForwardPass(sequences: 1))
    return Double(scores.values[0])
  }
}
