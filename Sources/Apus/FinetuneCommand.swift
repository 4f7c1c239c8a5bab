import ArgumentParser
import Phases

/// `apus finetune`: trains an existing model on conversations, labelled texts or tagged words.
struct FinetuneCommand: PhaseSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "finetune",
    abstract: "Fine-tune a model on conversations, labelled texts or tagged words.",
    discussion: """
      mpirun -np 2 apus finetune run.yaml

      `apus config --phase finetune --schema` lists the keys; model.from and data.train are \
      required. The same command resumes an interrupted run.
      """)

  static let phase = PhaseKind.finetune

  @OptionGroup var arguments: PhaseArguments
}
