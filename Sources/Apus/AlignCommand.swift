import ArgumentParser

/// `apus align`: reinforcement learning from rewards, or preference optimization on pairs.
struct AlignCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "align",
    abstract: "Align a model: ppo or grpo from rewards, dpo from pairs.",
    discussion: """
      mpirun -np 2 apus align run.yaml

      `apus config --phase align --schema` lists the keys; model.from and data.train are needed, and \
      for ppo and grpo a reward model or a rule. The same command continues an interrupted run.
      """)

  @OptionGroup var arguments: PhaseArguments

  func run() throws {
    try arguments.run(.align)
  }
}
