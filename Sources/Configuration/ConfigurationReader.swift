// "The user's settings, checked. Knows keys, types and ranges, but not what they mean."

/// Reads the configuration of a run: one YAML file, strict keys, `--set key.path=value` overrides.
///
/// The code that reads a key is its only declaration: every call of `integer`, `number`, … both
/// returns the value and adds the key, with type, default, range and help, to `schema` and
/// `resolved`. After the last key, `finish()` refuses every written key that was not read.
///
/// The reader checks keys, types and ranges; the meaning of values is for the caller.
///
/// Read every key on every path through the code, whatever the values of other keys: a key that is
/// read under a condition is missing from the schema, and refused if the condition does not hold.
///
/// A key without a value (`steps:`, `~`, `null`) counts as absent.
package struct ConfigurationReader: Sendable {
  /// The treatment of an absent required key.
  enum Mode: Sendable {
    /// The key is refused.
    case read
    /// A placeholder of the right type is returned, so that all declarations can be collected.
    case describe
  }

  let document: YAMLDocument
  let mode: Mode
  private(set) var declarations: [Declaration] = []

  /// A reader of the YAML text `yaml`; `file` is its name in errors.
  ///
  /// Overrides have the form `key.path=value`. They take precedence over the file, and later ones
  /// over earlier ones.
  package init(
    yaml: String, file: String, overrides: [String] = []
  ) throws(ConfigurationError) {
    var document = try YAMLDocument(yaml: yaml, file: file)
    for override in overrides { try document.apply(override: override) }
    self.init(document: document, mode: .read)
  }

  init(document: YAMLDocument, mode: Mode) {
    self.document = document
    self.mode = mode
  }

  /// The keys that `body` reads, in the order of reading, collected by running it on an empty
  /// document.
  ///
  /// Required keys do not throw here; they return a placeholder of the right type and range.
  package static func schema(
    of body: (inout ConfigurationReader) throws -> Void
  ) rethrows -> [KeyDescription] {
    var reader = ConfigurationReader(document: YAMLDocument(file: "defaults"), mode: .describe)
    try body(&reader)
    return reader.schema
  }

  /// The keys read so far in the order of reading, those of a section together.
  package var schema: [KeyDescription] {
    var places: [String: Int] = [:]
    let keys = declarations.map(\.description).enumerated().map { place, key in
      let names = Spelling.sections(of: key.path).reversed() + [key.path]
      for name in names where places[name] == nil { places[name] = place }
      return (key: key, order: names.map { places[$0] ?? place })
    }
    return keys.sorted { $0.order.lexicographicallyPrecedes($1.order) }.map(\.key)
  }

  /// A reader of the defaults with `overrides`; a required key that is in none of them has no value.
  package init(ofDefaultsWith overrides: [String]) throws(ConfigurationError) {
    var document = YAMLDocument(file: "the command line")
    for override in overrides { try document.apply(override: override) }
    self.init(document: document, mode: .describe)
  }

  /// Refuses every key of the document that was not read, with the most similar known key for each.
  ///
  /// Throws `ConfigurationError.unknownKeys` with all of them, in the order of the file and then of
  /// the overrides.
  package func finish() throws(ConfigurationError) {
    let unknown = unknownKeys(among: declarations.map(\.description.path))
    if !unknown.isEmpty { throw .unknownKeys(unknown) }
  }

  /// The keys of the document that are not in `keys`, in the order of the file and then of the
  /// overrides.
  package func unknownKeys(among keys: [String]) -> [UnknownKey] {
    document.writtenKeys(declared: keys).map {
      UnknownKey(
        path: $0.path, place: $0.place, nearest: Spelling.nearest(to: $0.path, among: keys),
        newName: Self.renamedKeys[$0.path])
    }
  }

  /// The new names of keys that were renamed; an old name is refused with the new one.
  private static let renamedKeys = [
    "mask.share": "mask.rate", "spans.share": "spans.rate",
    "data.replay.share": "data.replay.fraction", "model.initialDeviation": "model.initialStd",
    "evaluate.stories": "evaluate.samples",
  ]

  /// The values, as YAML, of the keys read so far that decide the bits of the trained weights.
  package var settings: [String: String] {
    let deciding = declarations.filter(\.description.decidesBits)
    return Dictionary(uniqueKeysWithValues: deciding.map { ($0.description.path, $0.value.yaml) })
  }

  /// True when the user gave `path` a value, in the file or as an override.
  package func isWritten(_ path: String) -> Bool {
    guard let node = try? document.node(at: path) else { return false }
    return !node.isNull
  }

  /// True when `path`, which must have been read, has another value than its default.
  package func isChanged(_ path: String) -> Bool {
    declarations.contains {
      $0.description.path == path && $0.value.yaml != $0.description.defaultValue ?? "null"
    }
  }

  /// An error about the value of `path`, for a rule that the reader does not check.
  ///
  /// `reason` continues the sentence "KEY is refused: ", for example "12 heads do not divide the
  /// width 128; choose a multiple of 12".
  package func rejection(of path: String, because reason: String) -> ConfigurationError {
    .rejected(key: path, place: document.place(of: path), reason: reason)
  }
}

extension ConfigurationReader {
  /// A key that was read, with its value.
  struct Declaration: Sendable {
    let description: KeyDescription
    let value: ResolvedValue
  }

  /// Records a key that was read, and its value.
  ///
  /// A key may be declared once, and no key may be a section of another.
  mutating func declare(_ description: KeyDescription, value: ResolvedValue) {
    for other in declarations {
      let path = other.description.path
      precondition(path != description.path, "configuration key \(path) is read twice")
      precondition(
        !path.hasPrefix(description.path + ".") && !description.path.hasPrefix(path + "."),
        "configuration key \(description.path) lies inside or around the key \(path)")
    }
    declarations.append(Declaration(description: description, value: value))
  }
}
