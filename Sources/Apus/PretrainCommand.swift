import ArgumentParser

/// `apus pretrain`: trains a model on text, alone or under `mpirun`.
struct PretrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pretrain",
    abstract: "Train a model on text.",
    discussion: """
      mpirun -np 2 apus pretrain run.yaml

      Without a file it trains the embedded default, stories of a small written world. The same \
      command continues an interrupted run.
      """)

  @OptionGroup var arguments: PhaseArguments

  func run() throws {
    try arguments.run(.pretrain)
  }
}
