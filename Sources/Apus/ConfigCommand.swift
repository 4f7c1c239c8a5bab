import ArgumentParser
import Configuration
import Phases
import Training

/// `apus config`: the configuration of a run, or the schema of its keys.
struct ConfigCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Print the configuration of a run with every default, or the schema of its keys.")

  @Argument(
    help: "YAML file of a run; without it, the defaults, with nothing for required keys.")
  var file: String?

  @Option(name: .customLong("set"), help: "Override of a key, as KEY.PATH=VALUE. Repeatable.")
  var overrides: [String] = []

  @Option(
    help: "Phase whose keys are printed: pretrain, finetune, reward or align.",
    transform: { name in
      guard let phase = PhaseKind(rawValue: name) else {
        throw ValidationError(PhaseKind.refusal(of: name))
      }
      return phase
    })
  var phase = PhaseKind.pretrain

  @Flag(help: "Print every key with its type, default, unit and range.")
  var schema = false

  @Flag(help: "Print the schema as JSON (with --schema).")
  var json = false

  var inputs: [String] { file.map { [$0] } ?? [] }

  func run() throws {
    if schema {
      let keys = try ConfigurationReader.schema { try phase.type.readKeys(&$0) }
      try StandardOutput.write(((json ? keys.json() : keys.table()) + "\n").utf8)
      return
    }
    var reader =
      try file.map { try ConfigurationReader(path: $0, overrides: overrides) }
      ?? ConfigurationReader(ofDefaultsWith: overrides)
    try phase.type.checkKeys(&reader)
    try StandardOutput.write(reader.resolved(withHelp: true).utf8)
  }
}
