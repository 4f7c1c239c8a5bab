import Checkpoints
import DataParallel
import Layers
import Models
import Tensors
import Tokenizers

/// A reward model that scores answers one by one, as `apus reward` trained it to.
struct RewardScoring {
  private let workspace: Workspace
  private let scorer: SequenceScorer
  private let context: Int
  private let chat: ChatEncoder

  /// Reads the reward model at `path`; it computes with the precision of `arguments`, on `team`.
  init(_ path: String, _ arguments: GenerationArguments, _ team: ThreadTeam?) throws {
    let loaded = try LoadedScorer(path: path)
    loaded.notes.forEach(Failure.report)
    guard loaded.configuration.labels.count == 1 else {
      throw Failure.Refusal(
        "\(path) gives \(loaded.configuration.labels.count) numbers for a text and a reward model "
          + "gives one: name a model that apus reward trained.")
    }
    workspace = Workspace(precision: arguments.precision.resolved, team: team)
    scorer = workspace.bind(
      ParameterLayout(), values: FlatBuffer(count: 0),
      frozen: FrozenParameters(
        layout: loaded.layout, values: loaded.parameters, precision: workspace.precision),
      loaded.configuration.build)
    context = loaded.configuration.model.context
    let template = try TokenizerFile.template(from: loaded.path, for: loaded.tokenizer)
    chat = ChatEncoder(template ?? .plain, tokenizer: loaded.tokenizer)
  }

  /// The score of `answer` to `prompt`; of a text that is longer than the context, of its beginning.
  func score(_ prompt: [Message], _ answer: [Message]) throws -> Double {
    let ids = Array(try chat.encode(answer, to: prompt).ids.prefix(context))
    return Double(scorer(ids, lengths: [], ForwardPass(sequences: 1)).values[0])
  }
}
