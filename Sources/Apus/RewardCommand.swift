import ArgumentParser
import Phases

/// `apus reward`: trains a reward model on preference pairs, and writes a verdict on it.
struct RewardCommand: PhaseSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "reward",
    abstract: "Train a reward model on preference pairs, and test whether it is fit for RL.",
    discussion: """
      mpirun -np 2 apus reward run.yaml

      `apus config --phase reward --schema` lists the keys; model.from and data.train are \
      required. The verdict is written to RUN/verdict.json; apus align refuses an unfit model \
      unless reward.allowUnfit is true.
      """)

  static let phase = PhaseKind.reward

  @OptionGroup var arguments: PhaseArguments
}
