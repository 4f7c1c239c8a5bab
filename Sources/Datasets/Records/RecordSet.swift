import Tokenizers

/// The records of a phase, divided into those to train on and those to evaluate on.
public struct RecordSet: Sendable {
  /// Those to train on, in the order of the files.
  public let train: [LocatedRecord]
  /// Those to evaluate on; empty when none were asked for.
  public let validation: [LocatedRecord]
  /// Those that were left out because they could not be used.
  public let skipped: SkippedRecords
  /// Files found in folders and left out, because their kind is not supported.
  public let ignored: [String]

  /// Reads the files, folders and globs `sources`, which start at `base` or the current folder.
  ///
  /// A share for validation is drawn by what is asked (see `ValidationSplit`): a record keeps its
  /// side when others are added, and records with the same prompt are on the same side. A bad record
  /// is an error, or with `skipsBad` counted and left out. Throws `DatasetError.noRecords` when none is
  /// left to train on, or none to evaluate on where some were asked for.
  public init(
    reading sources: [String], validation: ValidationSource, relativeTo base: String = "",
    skipsBad: Bool = false
  ) throws(DatasetError) {
    var skipped = SkippedRecords()
    func read(_ files: [SourceFile]) throws(DatasetError) -> [LocatedRecord] {
      var reader = RecordReader(files, skipsBad: skipsBad)
      var records: [LocatedRecord] = []
      while let record = try reader.next() { records.append(record) }
      skipped.note(reader.skipped)
      guard !records.isEmpty else { throw .noRecords(skipped: reader.skipped) }
      return records
    }
    let list = try SourceList(sources, relativeTo: base, of: .records)
    switch validation {
    case .fraction(let fraction):
      (train, self.validation) = try Self.divide(try read(list.files), holdingOut: fraction)
      ignored = list.ignored
    case .files(let entries):
      let other = try SourceList(entries, relativeTo: base, of: .records)
      let trained = Set(list.files.map(\.identity))
      if let file = other.files.first(where: { trained.contains($0.identity) }) {
        throw .inBoth(path: file.path)
      }
      train = try read(list.files)
      self.validation = try read(other.files)
      ignored = list.ignored + other.ignored
    }
    self.skipped = skipped
  }

  /// Records made elsewhere, of which the share `fraction` is held out.
  public init(
    _ records: [LocatedRecord], validation fraction: Double
  ) throws(DatasetError) {
    (train, validation) = try Self.divide(records, holdingOut: fraction)
    skipped = SkippedRecords()
    ignored = []
  }

  private static func divide(
    _ records: [LocatedRecord], holdingOut fraction: Double
  ) throws(DatasetError) -> (train: [LocatedRecord], validation: [LocatedRecord]) {
    let split = try ValidationSplit(fraction: fraction)
    var sides: (train: [LocatedRecord], validation: [LocatedRecord]) = ([], [])
    for record in records {
      if split.holdsOut(record.record.question) {
        sides.validation.append(record)
      } else {
        sides.train.append(record)
      }
    }
    guard !sides.train.isEmpty else { throw .noTrainingText }
    if fraction > 0, sides.validation.isEmpty {
      throw .noValidationText(documents: records.count, fraction: fraction)
    }
    return sides
  }

  /// Tells these records from any others, in their order and on their sides.
  public var identity: String {
    var hash = FNV1a()
    for records in [train, validation] {
      hash.combine(records.count)
      for record in records { hash.combine(record.record) }
    }
    return "\(train.count) and \(validation.count) with checksum "
      + String(hash.value, radix: 16)
  }
}

extension Record {
  /// What tells on which side of the split a record is: all that is said before the first answer, or
  /// its text.
  var question: [UInt8] {
    func asked(_ messages: [Message]) -> [UInt8] {
      let asked = messages.prefix { $0.role != .assistant }
      return Array((asked.isEmpty ? messages[...] : asked).map(\.content).joined().utf8)
    }
    switch self {
    case .conversation(let conversation): return asked(conversation.messages)
    case .pair(let pair): return asked(pair.prompt + pair.chosen)
    case .labelled(let text, _): return Array(text.utf8)
    case .tagged(let words, _): return Array(words.joined(separator: " ").utf8)
    case .prompt(let messages): return asked(messages)
    }
  }
}

extension FNV1a {
  /// Goes on with `text` and its length, so that texts in a row are told apart.
  mutating func combine(_ text: String) {
    var text = text
    combine(text.utf8.count)
    text.withUTF8 { combine($0) }
  }

  /// Goes on with `number`.
  mutating func combine(_ number: Int) {
    withUnsafeBytes(of: UInt64(bitPattern: Int64(number)).littleEndian) {
      combine($0.bindMemory(to: UInt8.self))
    }
  }

  mutating func combine(_ messages: [Message]) {
    combine(messages.count)
    for message in messages {
      combine(message.role.rawValue)
      combine(message.content)
    }
  }

  mutating func combine(_ record: Record) {
    combine(record.kind)
    switch record {
    case .conversation(let conversation): combine(conversation.messages)
    case .prompt(let messages): combine(messages)
    case .labelled(let text, .name(let name)):
      combine(text)
      combine("name \(name)")
    case .labelled(let text, .number(let number)):
      combine(text)
      combine("number \(number)")
    case .tagged(let words, let tags):
      combine(words.count)
      for text in words + tags { combine(text) }
    case .pair(let pair):
      combine(pair.prompt)
      combine(pair.chosen)
      combine(pair.rejected)
      combine(pair.margin.map { "\($0)" } ?? "")
    }
  }
}
