import ArgumentParser

/// `apus reward`: a reward model from preference pairs, with a verdict on it.
struct RewardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reward",
    abstract: "Train a reward model on preference pairs, and judge whether it is fit to teach.",
    discussion: """
      mpirun -np 2 apus reward run.yaml

      `apus config --phase reward --schema` lists the keys; model.from and data.train are needed. \
      The verdict is in RUN/verdict.json; apus align takes no unfit model unless told to.
      """)

  @OptionGroup var arguments: PhaseArguments

  func run() throws {
    try arguments.run(.reward)
  }
}
