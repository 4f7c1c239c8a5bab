import ArgumentParser
import Configuration
import DataParallel
import MPI
import Monitoring
import Recipes
import Training

/// `apus run`: the stages of a recipe, one after another, alone or under `mpirun`.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run the stages of a recipe, from text to an aligned model.",
    discussion: """
      mpirun -np 2 apus run recipe.yaml

      Stages that are done are not run again, an interrupted one goes on where it stopped. Phases \
      of training use all ranks, other commands run on rank 0.
      """)

  @Argument(help: "The recipe, a YAML file.")
  var recipe: String

  @OptionGroup var ranks: RankArguments

  @Option(help: "Run this stage and all after it again, whether they are done or not.")
  var from: String?

  @Option(help: "Run this stage alone; its inputs must be done.")
  var only: String?

  @Flag(help: "Print what would be done, with sizes and times to expect, and change nothing.")
  var dryRun = false

  func validate() throws {
    if from != nil && only != nil {
      throw ValidationError("--from and --only exclude each other; give one of them.")
    }
  }

  func run() throws {
    try ranks.run { world, workers in
      let recipe = try world.together { try Recipe(path: self.recipe) }
      let run = RecipeRun(recipe, world: world, workers: workers)
      if dryRun { return try run.printPlan(from: from, only: only) }
      if try !run.run(from: from, only: only) { throw ExitCode(75) }
    }
  }
}
