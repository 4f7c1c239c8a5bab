import ArgumentParser
import DataParallel
import MPI
import Recipes

/// `apus run`: runs the stages of a recipe in order, on one rank or under `mpirun`.
struct RunCommand: TrainingSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run the stages of a recipe, from text to an aligned model.",
    discussion: """
      mpirun -np 2 apus run recipe.yaml

      Skips stages that are done, and resumes an interrupted one. Training phases, evaluate, \
      tokenizer train and tokenizer extend use all ranks; other commands run on rank 0.
      """)

  @Argument(help: "YAML file of the recipe.")
  var recipe: String

  @OptionGroup var ranks: RankArguments

  @Option(help: "Stage to run again, done or not, with all after it.")
  var from: String?

  @Option(help: "Only stage to run; its inputs must be done.")
  var only: String?

  @Flag(help: "Print the plan with expected sizes and times, and change nothing.")
  var dryRun = false

  func validate() throws {
    if from != nil && only != nil {
      throw ValidationError("--from and --only exclude each other; give one of them.")
    }
  }

  var inputs: [String] { [recipe] }

  func run(_ world: Communicator, _ workers: Cores.Assignment) throws {
    let run = try world.together {
      try RecipeRun(try Recipe(path: recipe), world: world, workers: workers)
    }
    try StartContract(try world.together { try run.settings() }).agree(over: world)
    if dryRun { return try run.printPlan(from: from, only: only) }
    if try !run.run(from: from, only: only) { throw ExitCode(75) }
  }
}
