import Configuration

/// A stage of a recipe: one command or one training phase.
package struct Stage: Sendable {
  /// The work of a stage.
  package enum Work: Sendable {
    /// A subcommand of apus with its arguments.
    case command([String])
    /// A training phase by its name, with its keys; the key `run` is the folder of the stage.
    case phase(String, ConfigurationReader)
  }

  /// The name: letters, digits, - and _.
  package let name: String
  /// The folder for the output.
  package let folder: String
  package let work: Work
  /// The earlier stages whose folders it refers to, in order.
  package let inputs: [String]

  /// The command as one text, with quotes where a word needs them; nil for a phase.
  package var commandText: String? {
    guard case .command(let words) = work else { return nil }
    return CommandWords.joined(words)
  }

  /// Reads the keys of a stage.
  ///
  /// - Parameters:
  ///   - parent: The recipe's folder.
  ///   - earlier: The names of the earlier stages.
  init(
    _ reader: ConfigurationReader, in parent: String, after earlier: [String]
  ) throws(ConfigurationError) {
    var reader = reader
    let name = try reader.string("name", help: "Name of the stage and of its folder.")
    guard !name.isEmpty,
      name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "_-".contains($0)) })
    else {
      throw reader.rejection(
        of: "name", because: "it names a folder: use letters, digits, - and _ only")
    }
    guard !earlier.contains(name) else {
      throw reader.rejection(
        of: "name", because: "another stage is called \(name); choose another name")
    }
    self.name = name
    folder = "\(parent)/\(name)"
    // A command is split before its references are replaced: a folder may have spaces.
    let words = try Self.words(&reader)
    var used: Set<String> = []
    var unknown: String?
    func replaced(_ text: String) -> String {
      Reference.replaced(in: text) { reference in
        guard reference == name || earlier.contains(reference) else {
          unknown = unknown ?? reference
          return nil
        }
        used.insert(reference)
        return "\(parent)/\(reference)"
      }
    }
    let command = words.map(replaced)
    reader = reader.replacingTexts(replaced)
    _ = try reader.strings("command", default: [], help: "")
    let phase = try reader.optionalString("phase", help: "Training phase, such as pretrain.")
    let file = try reader.optionalString("file", help: "YAML file with the keys of the run.")
    let keys = try reader.section("keys", help: "Keys of the run, overriding those of the file.")
    _ = try reader.string("name", help: "")
    try reader.finish()
    if let unknown {
      throw reader.rejection(
        of: "name",
        because: "\(name) refers to ${\(unknown)}, which is not an earlier stage; "
          + (earlier.isEmpty
            ? "there is none before it" : "choose among \(earlier.joined(separator: ", "))"))
    }
    inputs = earlier.filter(used.contains)
    guard (phase == nil) != command.isEmpty, phase != nil || (file == nil && keys == nil) else {
      throw reader.rejection(
        of: "name",
        because: "\(name) needs either command, or phase with keys or file; write one of them")
    }
    guard let phase else {
      work = .command(command)
      return
    }
    var settings = try ConfigurationReader(yaml: "", file: "stage \(name)")
    if let file { settings = try ConfigurationReader(path: file) }
    if let keys { settings = settings.overlaid(with: keys) }
    work = .phase(phase, try settings.overridden(by: ["run=\(folder)"]))
  }

  /// Reads the words of the stage's command; none for a phase.
  private static func words(
    _ reader: inout ConfigurationReader
  ) throws(ConfigurationError) -> [String] {
    let command = try reader.strings(
      "command", default: [],
      help: "Subcommand and arguments, separated as in a shell, or as a list.")
    guard command.count == 1 else { return command }
    guard let words = CommandWords.split(command[0]) else {
      throw reader.rejection(
        of: "command", because: "a quote or a backslash in it has no end; close the quote")
    }
    return words
  }
}

/// The form `${name}` in a text.
enum Reference {
  /// Returns `text` with every `${name}` replaced by its value; one with a nil value stays.
  static func replaced(in text: String, by value: (String) -> String?) -> String {
    text.replacing(/\$\{([^}]*)\}/) { match in value(String(match.1)) ?? String(match.0) }
  }
}
