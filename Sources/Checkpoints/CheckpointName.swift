import Files

/// A name in a `checkpoints/` folder.
///
/// Only the first is a published checkpoint:
/// ```
/// step-00001000                  published; never changed again
/// step-00001000.ATTEMPT.tmp      draft, being written by one attempt
/// step-00001000.replaced         older checkpoint, while a new one of its step is published
/// step-00001000.damaged[-N]      set aside, with a REASON.txt
/// step-00001000.deleting[-N]     being deleted
/// ```
enum CheckpointName: Equatable {
  case published(step: Int)
  case draft(step: Int, attempt: String)
  case replaced(step: Int)
  case damaged(step: Int, copy: Int)
  case deleting(step: Int, copy: Int)

  /// Parses a name; nil for every other name.
  init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard let first = parts.first, first.hasPrefix("step-"), let step = Int(first.dropFirst(5)),
      step >= 0
    else { return nil }
    let name: CheckpointName
    if parts.count == 1 {
      name = .published(step: step)
    } else if parts.count == 3, parts[2] == "tmp", Self.isValid(attempt: String(parts[1])) {
      name = .draft(step: step, attempt: String(parts[1]))
    } else if parts.count == 2 {
      let words = parts[1].split(separator: "-", omittingEmptySubsequences: false)
      guard let copy = words.count == 1 ? 0 : Int(words[1]) else { return nil }
      switch words[0] {
      case "replaced": name = .replaced(step: step)
      case "damaged": name = .damaged(step: step, copy: copy)
      case "deleting": name = .deleting(step: step, copy: copy)
      default: return nil
      }
    } else {
      return nil
    }
    // Every name has one spelling: step-1 or step-+0000001 were not written by Apus.
    guard name.text == text else { return nil }
    self = name
  }

  /// The name; its step has at least eight digits, so that names sort by step.
  var text: String {
    switch self {
    case .published(let step): Self.stem(step)
    case .draft(let step, let attempt): "\(Self.stem(step)).\(attempt).tmp"
    case .replaced(let step): "\(Self.stem(step)).replaced"
    case .damaged(let step, let copy): "\(Self.stem(step)).damaged" + Self.suffix(copy)
    case .deleting(let step, let copy): "\(Self.stem(step)).deleting" + Self.suffix(copy)
    }
  }

  /// Returns true when `attempt` consists of ASCII letters, digits, `-` and `_`.
  static func isValid(attempt: String) -> Bool {
    FileRecord.isValid(name: attempt) && !attempt.contains(".")
  }

  private static func stem(_ step: Int) -> String { "step-" + step.digits(8) }

  private static func suffix(_ copy: Int) -> String {
    copy == 0 ? "" : "-\(copy)"
  }
}

extension Int {
  /// Returns the number with at least `count` digits.
  func digits(_ count: Int) -> String {
    String(repeating: "0", count: Swift.max(0, count - "\(self)".count)) + "\(self)"
  }
}
