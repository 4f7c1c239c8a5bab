// "What the user typed, checked. Knows keys, types and ranges; nothing of what they mean."

/// Reads the configuration of a run: one YAML file, strict keys, `--set key.path=value` overrides.
///
/// The code that reads a key is its only declaration: every call of `integer`, `number`, … both
/// fetches the value and adds the key, with type, default, range and help, to `schema` and
/// `resolved`. After the last key, `finish()` refuses whatever the user wrote that nobody read.
///
/// Read every key on every path through the code, whatever the values of the others: a key that is
/// read under a condition is missing from the schema and refused when the condition does not hold.
///
/// A key without a value (`steps:`, `~`, `null`) counts as absent.
public struct ConfigurationReader: Sendable {
  /// What happens where a required key is absent.
  enum Mode: Sendable {
    /// It is refused.
    case read
    /// A value of the right type stands in, so that all declarations can be collected.
    case describe
  }

  let document: Document
  let mode: Mode
  private(set) var declarations: [Declaration] = []

  /// A reader of the YAML text `yaml`; `file` is the name under which errors speak of it.
  ///
  /// Overrides have the form `key.path=value` and win over the file, the later over the earlier.
  public init(
    yaml: String, file: String, overrides: [String] = []
  ) throws(ConfigurationError) {
    var document = try Document(yaml: yaml, file: file)
    for override in overrides { try document.apply(override: override) }
    self.init(document: document, mode: .read)
  }

  init(document: Document, mode: Mode) {
    self.document = document
    self.mode = mode
  }

  /// Every key that `body` reads, in the order of reading, learned from an empty document.
  ///
  /// Required keys do not throw here; a value of the right type and range stands in for them.
  public static func schema(
    of body: (inout ConfigurationReader) throws -> Void
  ) rethrows -> [KeyDescription] {
    var reader = ConfigurationReader(document: Document(file: "schema"), mode: .describe)
    try body(&reader)
    return reader.schema
  }

  /// Every key read so far, in the order of reading.
  public var schema: [KeyDescription] { declarations.map(\.description) }

  /// Refuses every key of the document that was not read, each with the nearest known one.
  ///
  /// Throws `ConfigurationError.unknownKeys` with all of them in the order of the file, those of
  /// overrides last.
  public func finish() throws(ConfigurationError) {
    let keys = declarations.map(\.description.path)
    var unknown: [UnknownKey] = []
    for written in document.writtenKeys(declared: keys) {
      unknown.append(
        UnknownKey(
          path: written.path, place: written.place,
          nearest: Spelling.nearest(to: written.path, among: keys)))
    }
    if !unknown.isEmpty { throw .unknownKeys(unknown) }
  }

  /// Whether the user gave `path` a value, in the file or as an override.
  public func isWritten(_ path: String) -> Bool {
    guard let node = try? document.node(at: path) else { return false }
    return !node.isNull
  }

  /// Whether `path`, which was read before, came out with another value than its default.
  public func isChanged(_ path: String) -> Bool {
    declarations.contains {
      $0.description.path == path && $0.value.yaml != $0.description.defaultValue ?? "null"
    }
  }

  /// An error about the value of `path`, for a rule that the reader cannot know.
  ///
  /// `reason` continues the sentence "KEY is refused: ", for example "12 heads do not divide the
  /// width 128; choose a multiple of 12".
  public func rejection(of path: String, because reason: String) -> ConfigurationError {
    .rejected(key: path, place: document.place(of: path), reason: reason)
  }
}

extension ConfigurationReader {
  /// A key as the code read it, with the value that came out.
  struct Declaration: Sendable {
    let description: KeyDescription
    let value: ResolvedValue
  }

  /// Notes that the key was read, and with what result.
  ///
  /// A key is declared once, and no key lies inside another.
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
