import Files

@testable import Checkpoints

/// Small checkpoints whose contents depend on the step.
enum SavedCheckpoint {
  static func files(step: Int) -> [(name: String, text: String)] {
    [
      ("model.safetensors", String(repeating: "weights of step \(step). ", count: 4)),
      ("state.json", "{\"step\": \(step)}"), ("empty", ""),
    ]
  }

  /// Writes the files of a draft, as the ranks do; returns their records.
  static func write(to draft: CheckpointDraft) throws -> [FileRecord] {
    try files(step: draft.step).map { name, text in
      var file = try draft.file(name)
      try file.write(text)
      return try file.close()
    }
  }

  @discardableResult
  static func save(
    step: Int, in store: CheckpointStore, attempt: String = "one"
  ) throws -> Checkpoint {
    let draft = try store.draft(step: step, attempt: attempt)
    return try draft.publish(files: write(to: draft))
  }
}
