// "Stages in order, and which of them are done. Knows no phase."

import Configuration

/// A sequence of commands, each of which may use the output of earlier ones.
///
///     run: runs/road                     # contains one folder per stage, named after it
///     stages:
///       - name: tokenizer
///         command: tokenizer train corpus --vocabulary 1024 --output ${tokenizer}
///       - name: base
///         phase: pretrain
///         keys: { tokenizer: "${tokenizer}", steps: 1000 }    # as in a run's own file
///       - name: chat
///         phase: finetune
///         file: cluster/chat.yaml                             # keys of a file; keys override it
///         keys: { model: { from: "${base}" } }
///
/// `${name}` is the folder of the stage itself or of an earlier one, which thereby is an input.
package struct Recipe: Sendable {
  /// The folder that contains the folders of all stages.
  package let folder: String
  /// The stages in order, with unique names.
  package let stages: [Stage]

  /// Reads the recipe at `path`.
  package init(path: String, overrides: [String] = []) throws(ConfigurationError) {
    try self.init(ConfigurationReader(path: path, overrides: overrides))
  }

  /// Reads the recipe in `reader`.
  init(_ reader: ConfigurationReader) throws(ConfigurationError) {
    var reader = reader
    let folder = try reader.string("run", help: "Folder of all stages.")
    let parts = try reader.sections("stages", help: "Stages, in order.")
    try reader.finish()
    guard !folder.isEmpty else {
      throw reader.rejection(of: "run", because: "an empty path is not a folder; name one")
    }
    self.folder = folder
    var stages: [Stage] = []
    for part in parts {
      stages.append(try Stage(part, in: folder, after: stages.map(\.name)))
    }
    self.stages = stages
  }

  /// The stage called `name`.
  package func stage(named name: String) -> Stage? { stages.first { $0.name == name } }
}
