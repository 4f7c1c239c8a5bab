import Models
import MPI
import Recipes
import Training

extension RecipeRun {
  /// Prints what `run` would do: a line for each stage.
  ///
  /// Collective.
  func printPlan(from first: String?, only: String?) throws {
    let stages = try world.together {
      world.rank == 0 ? try rows(from: first, only: only) : []
    }
    if world.rank != 0 { return }
    let head = ["stage", "what", "state", "inputs", "parameters", "steps", "memory a rank"]
    let table = [head] + stages
    let widths = table[0].indices.map { column in table.map { $0[column].count }.max() ?? 0 }
    for row in table {
      let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      try StandardOutput.print(
        String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed()))
    }
  }

  private func rows(from first: String?, only: String?) throws -> [[String]] {
    let selected = try selection(from: first, only: only)
    let again = Set(selected.map(\.name).drop { $0 != first ?? only })
    return try selected.map { stage in
      let inputs = stage.inputs.isEmpty ? "–" : stage.inputs.joined(separator: ", ")
      let state = again.contains(stage.name) ? "to do again" : try word(for: stage)
      switch stage.work {
      case .command(let words):
        return [stage.name, words.prefix(2).joined(separator: " "), state, inputs, "", "", ""]
      case .phase(let name, var reader):
        let kind = try RecipeRun.kind(name, of: stage)
        // A model that an earlier stage is still to make cannot be looked at.
        let isReady = try stage.inputs.allSatisfy { try isRecorded($0) }
        guard isReady else { return [stage.name, name, state, inputs, "", "", ""] }
        let plan = try kind.phase(&reader, halvesAreQuick: false).plan
        return [
          stage.name, name, state, inputs, "\(plan.model.layout.parameterCount)",
          "\(plan.options.steps)",
          "\(plan.memory(ranks: world.size, threads: workers.threads) >> 20) MiB",
        ]
      }
    }
  }

  private func word(for stage: Stage) throws -> String {
    switch try state(of: stage) {
    case .open: "to do"
    case .done: "done"
    case .changed: "done with other settings"
    }
  }
}
