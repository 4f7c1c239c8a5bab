import ArgumentParser
import Configuration
import Training

extension PhaseKind: ExpressibleByArgument {}

/// `apus config`: what can stand in a run's file.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Print a run's configuration with every default, or the list of keys.")

  @Argument(help: "A run's YAML file; the defaults when absent.")
  var file: String?

  @Option(name: .customLong("set"), help: "Override a key. Repeatable.")
  var overrides: [String] = []

  @Option(help: "The command whose keys are meant.")
  var phase = PhaseKind.pretrain

  @Flag(help: "Print every key with type, default, unit and range.")
  var schema = false

  @Flag(help: "With --schema: as JSON.")
  var json = false

  func run() throws {
    if schema {
      let keys = try ConfigurationReader.schema { try phase.readKeys(&$0) }
      try StandardOutput.print(json ? keys.json() : keys.table())
      return
    }
    var reader =
      try file.map { try ConfigurationReader(path: $0, overrides: overrides) }
      ?? ConfigurationReader(yaml: "", file: "the command line", overrides: overrides)
    try phase.readKeys(&reader)
    try reader.finish()
    try StandardOutput.print(reader.resolved(withHelp: true), terminator: "")
  }
}
