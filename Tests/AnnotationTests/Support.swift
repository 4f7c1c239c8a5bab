import Foundation
import Tokenizers

@testable import Annotation

extension AnnotationPair {
  /// A pair of short texts.
  init(
    _ prompt: String, _ first: String, _ second: String, sources: (String?, String?) = (nil, nil)
  ) {
    self.init(
      prompt: [Message(.user, prompt)],
      first: Candidate([Message(.assistant, first)], source: sources.0),
      second: Candidate([Message(.assistant, second)], source: sources.1))
  }

  /// Returns numbered pairs of the models x and y, with x's answers stored first.
  static func several(_ count: Int) -> [AnnotationPair] {
    (0..<count).map {
      AnnotationPair(
        "Question \($0)?", "Answer \($0) of one", "Answer \($0) of another",
        sources: ("models/x", "models/y"))
    }
  }
}

/// Runs `body` with a temporary folder, which is removed afterwards.
@discardableResult
func withFolder<Value>(_ body: (String) throws -> Value) throws -> Value {
  let folder = NSTemporaryDirectory() + "apus-annotation-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

/// Runs `body` with a new store of numbered pairs.
@discardableResult
func withStore<Value>(
  pairs: Int = 0, seed: UInt64? = nil, _ body: (JudgementStore) throws -> Value
) throws -> Value {
  try withFolder { folder in
    let store = try JudgementStore(path: "\(folder)/judgements.sqlite", seed: seed)
    try store.add(AnnotationPair.several(pairs))
    return try body(store)
  }
}

/// Runs a dialogue with the input `lines` and returns its output.
func converse(
  _ store: JudgementStore, _ annotator: String, _ lines: [String], columns: Int = 80
) throws -> String {
  var session = try AnnotationSession(store, annotator: annotator)
  var rest = lines[...]
  var shown = ""
  let dialogue = AnnotationDialogue(
    columns: columns, showsPrompt: false, nextLine: { rest.popFirst() }, write: { shown += $0 })
  try dialogue.run(&session)
  return shown
}
