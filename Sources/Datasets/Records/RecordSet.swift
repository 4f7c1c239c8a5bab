import Files
import Tokenizers

/// The records of a phase, split into training and validation records.
package struct RecordSet: Sendable {
  /// The training records, in the order of the files.
  package let train: [LocatedRecord]
  /// The validation records; empty when none were requested.
  package let validation: [LocatedRecord]
  /// The records that were left out because they could not be used.
  package let skipped: SkippedRecords
  /// The fields of the records that are not used.
  package let unused: UnusedFields
  /// Files found in folders and left out because their kind is not supported.
  package let ignored: [String]

  /// Reads the files, folders and globs `sources`, which start at `base` or the current folder.
  ///
  /// A validation fraction is drawn by prompt (see `ValidationSplit`): a record keeps its side when
  /// others are added, and records with the same prompt are on the same side; of two or more prompts,
  /// at least one is held out and one is not. The fields of the records have `names`. A bad record is
  /// an error, or with `skipsBad` left out and counted. Throws `DatasetError.noRecords` when no record
  /// is left for training, or none for validation though validation was requested.
  package init(
    reading sources: [String], validation: ValidationSource, relativeTo base: String = "",
    names: FieldNames = FieldNames(), skipsBad: Bool = false
  ) throws(DatasetError) {
    var skipped = SkippedRecords()
    var unused = UnusedFields()
    var (unseen, found): (Set<String>?, [String]) = (nil, [])
    func read(_ files: [SourceFile]) throws(DatasetError) -> [LocatedRecord] {
      var reader = RecordReader(files, names: names, skipsBad: skipsBad)
      var records: [LocatedRecord] = []
      while let record = try reader.next() { records.append(record) }
      skipped.note(reader.skipped)
      unused.note(reader.unused)
      guard !records.isEmpty else { throw .noRecords(skipped: reader.skipped) }
      unseen = unseen?.intersection(reader.unseenNames) ?? reader.unseenNames
      found = reader.firstFields ?? []
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
    try names.refuse(unseen: unseen ?? [], found: found)
    self.skipped = skipped
    self.unused = unused
  }

  /// Splits `records`, holding out the fraction `fraction` for validation.
  package init(
    _ records: [LocatedRecord], validation fraction: Double
  ) throws(DatasetError) {
    (train, validation) = try Self.divide(records, holdingOut: fraction)
    skipped = SkippedRecords()
    unused = UnusedFields()
    ignored = []
  }

  private static func divide(
    _ records: [LocatedRecord], holdingOut fraction: Double
  ) throws(DatasetError) -> (train: [LocatedRecord], validation: [LocatedRecord]) {
    let split = try ValidationSplit(fraction: fraction)
    var sides: (train: [LocatedRecord], validation: [LocatedRecord]) = ([], [])
    for (record, isHeldOut) in zip(records, split.heldOut(records.map(\.record.splitKey))) {
      if isHeldOut {
        sides.validation.append(record)
      } else {
        sides.train.append(record)
      }
    }
    if sides.train.isEmpty || fraction > 0 && sides.validation.isEmpty {
      throw .oneSide(records: records.count, fraction: fraction)
    }
    return sides
  }

  /// Returns the error of training records whose labels are all `name`: the one that says where the
  /// others are, when they are held out.
  package func oneClass(_ name: String) -> DatasetError {
    let heldOut = validation.lazy.flatMap(\.record.classNames).first { $0 != name }
    return heldOut.map { .oneClassToTrain(name, heldOut: $0) } ?? .oneClass(name)
  }

  /// A fingerprint of the content of the records, their order and their sides of the split.
  package var identity: String {
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
  /// The bytes that determine the record's side of the split: the messages before the first answer, or
  /// its text.
  var splitKey: [UInt8] {
    func asked(_ messages: [Message]) -> [UInt8] {
      let asked = messages.prefix { $0.role != .assistant }
      return Array((asked.isEmpty ? messages[...] : asked).map(\.content).joined().utf8)
    }
    switch self {
    case .conversation(let conversation): return asked(conversation.messages)
    case .pair(let pair): return asked(pair.prompt.messages + pair.chosen)
    case .unpaired(let preference): return asked(preference.prompt.messages + preference.answer)
    case .labelled(let text, _): return Array(text.utf8)
    case .tagged(let words, _): return Array(words.joined(separator: " ").utf8)
    case .prompt(let prompt): return asked(prompt.messages)
    }
  }
}

extension Record {
  /// The names of the classes of its labels or tags.
  fileprivate var classNames: [String] {
    switch self {
    case .labelled(_, let label): [label.text]
    case .tagged(_, let tags): tags
    default: []
    }
  }
}

extension FNV1a {
  /// Adds `text` and its length to the hash, so that the boundary between texts is hashed too.
  mutating func combine(_ text: String) {
    var text = text
    combine(text.utf8.count)
    text.withUTF8 { combine($0) }
  }

  /// Adds `number` to the hash.
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
      if let fields = message.fields.members, !fields.isEmpty { combine(message.fields) }
      if message.maskedBy != nil { combine("outside the loss") }
    }
  }

  mutating func combine(_ conversation: Conversation) {
    combine(conversation.messages)
    if let tools = conversation.tools { combine(tools) }
  }

  private mutating func combine(_ value: JSONValue) {
    combine(String(decoding: value.compact, as: UTF8.self))
  }

  mutating func combine(_ record: Record) {
    combine(record.kind)
    switch record {
    case .conversation(let conversation), .prompt(let conversation): combine(conversation)
    case .unpaired(let preference):
      combine(preference.prompt)
      combine(preference.answer)
      combine(preference.isDesirable ? 1 : 0)
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
