import ArgumentParser
import Phases

/// `apus pretrain`: trains a model on text, on one rank or under `mpirun`.
struct PretrainCommand: PhaseSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "pretrain",
    abstract: "Pretrain a model on text.",
    discussion: """
      mpirun -np 2 apus pretrain run.yaml

      `apus config --phase pretrain --schema` lists the keys; data.train is required. The same \
      command resumes an interrupted run.
      """)

  static let phase = PhaseKind.pretrain

  @OptionGroup var arguments: PhaseArguments
}
