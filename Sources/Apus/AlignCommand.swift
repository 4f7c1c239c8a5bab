import ArgumentParser
import Phases

/// `apus align`: reinforcement learning from rewards, or preference optimization on pairs.
struct AlignCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "align",
    abstract: "Align a model with PPO, GRPO, RLOO or DPO.",
    discussion: """
      mpirun -np 2 apus align run.yaml

      PPO, GRPO and RLOO learn from rewards, DPO from preference pairs. `apus config --phase align \
      --schema` lists the keys; model.from and data.train are required, and PPO, GRPO and RLOO \
      need a reward model, a rule or a command. The same command resumes an interrupted run.
      """)

  @OptionGroup var arguments: PhaseArguments

  func run() throws {
    try arguments.run(.align)
  }
}
