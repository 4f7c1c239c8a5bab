import ArgumentParser
import Phases

/// `apus align`: reinforcement learning from rewards, or preference optimization on pairs.
struct AlignCommand: PhaseSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "align",
    abstract: "Align a model by reinforcement learning or preference optimization.",
    discussion: """
      mpirun -np 2 apus align run.yaml

      The key method is one of \(AlignmentMethod.names.joined(separator: ", ")): DPO learns from \
      preference pairs, KTO from answers labelled good or bad; the others learn from rewards, and \
      need a reward model, a rule or a command. `apus config --phase align --schema` lists the keys; \
      model.from and data.train are required. The same command resumes an interrupted run.
      """)

  static let phase = PhaseKind.align

  @OptionGroup var arguments: PhaseArguments
}
