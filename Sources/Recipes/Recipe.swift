// "Stages in their order, and which of them are done. Knows no phase."

import Configuration

/// Several commands under one name, each with what earlier ones made.
///
///     run: runs/road                     # every stage has a folder in it, of its name
///     stages:
///       - name: tokenizer
///         command: tokenizer train corpus --vocabulary 1024 --output ${tokenizer}
///       - name: base
///         phase: pretrain
///         keys: { tokenizer: "${tokenizer}", steps: 1000 }    # as in a run's own file
///       - name: chat
///         phase: finetune
///         file: cluster/chat.yaml                             # keys of a file, under those of keys
///         keys: { model: { from: "${base}" } }
///
/// `${name}` is the folder of a stage: its own, or that of an earlier one, which is then an input.
public struct Recipe: Sendable {
  /// The folder of all stages.
  public let folder: String
  /// The stages, in order; names are unique.
  public let stages: [Stage]

  /// Reads the recipe at `path`.
  public init(path: String, overrides: [String] = []) throws(ConfigurationError) {
    try self.init(ConfigurationReader(path: path, overrides: overrides))
  }

  /// Reads the recipe in `reader`.
  init(_ reader: ConfigurationReader) throws(ConfigurationError) {
    var reader = reader
    let folder = try reader.string("run", help: "folder of all stages")
    let parts = try reader.sections("stages", help: "the stages, in order")
    try reader.finish()
    guard !folder.isEmpty else {
      throw reader.rejection(of: "run", because: "an empty path is no folder; name one")
    }
    self.folder = folder
    var stages: [Stage] = []
    for part in parts {
      stages.append(try Stage(part, in: folder, after: stages.map(\.name)))
    }
    self.stages = stages
  }

  /// The stage called `name`.
  public func stage(named name: String) -> Stage? { stages.first { $0.name == name } }
}
