import ArgumentParser
import Phases

/// `apus align`: reinforcement learning from rewards, or preference optimization on pairs.
struct AlignCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "align",
    abstract: "Align a model with PPO, GRPO or DPO.",
    discussion: """
      mpirun -np 2 apus align run.yaml

      PPO and GRPO learn from rewards, DPO from preference pairs. `apus config --phase align \
      --schema` lists the keys; model.from and data.train are required, and PPO and GRPO need a \
      reward model or a rule. The same command resumes an interrupted run.
      """)

  @OptionGroup var arguments: PhaseArguments

  func run() throws {
    try arguments.run(.align)
  }
}
