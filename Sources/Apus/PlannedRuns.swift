import DataParallel
import Files
import MPI
import Monitoring
import Phases

/// The plan that a dry run prints: one row per run or command with its sizes and its time.
struct PlannedRuns {
  /// One row.
  struct Row {
    /// The name in sentences, such as "Stage chat".
    let name: String
    /// The first cells.
    let cells: [String]
    /// The sizes that follow from the keys of a run; nil for a command.
    var sketch: PhaseSketch?
    /// True when the run is still to be done.
    let isPending: Bool
  }

  /// The heads of the first cells.
  let heads: [String]
  let rows: [Row]

  /// Prints the table and the total of the times on rank 0, and the runs that would be refused.
  ///
  /// Collective.
  func print(_ world: Communicator, _ workers: Cores.Assignment) throws {
    var (table, seconds) = ([heads + ["parameters", "steps", "memory per rank", "time"]], 0.0)
    for row in rows {
      var cells = row.cells
      if let sketch = row.sketch {
        let (trained, frozen) = sketch.parameters
        cells += [
          frozen > 0 ? "\(trained) of \(trained + frozen)" : "\(trained)",
          sketch.plan.epochs.map { "\($0) epochs" } ?? "\(sketch.plan.steps)",
          "\(sketch.memory(ranks: world.size, threads: workers.threads) >> 20) MiB",
        ]
        // The data decides the steps of a number of epochs.
        if row.isPending && sketch.plan.epochs == nil {
          let time = try TimeEstimate(sketch, world: world, workers: workers)
          seconds += time.seconds
          cells.append("≈ \(Durations.text(time.seconds))")
        }
      }
      table.append(cells + Array(repeating: "", count: table[0].count - cells.count))
    }
    let ranksOfHost = try world.splitByHost().size
    let available = Int(
      try world.allReduce(Int64(ProcessMemory.available(ranks: ranksOfHost)), .min))
    guard world.rank == 0 else { return }
    for line in TextTable.lines(of: table) { try StandardOutput.print(line) }
    if seconds > 0 { try printTotal(seconds, threads: ranksOfHost * workers.threads) }
    for row in rows where row.isPending {
      do {
        try row.sketch?.plan.requireMemory(available, ranks: world.size)
      } catch {
        try StandardOutput.print("\(row.name) would be refused: \(error).")
      }
    }
  }

  private func printTotal(_ seconds: Double, threads: Int) throws {
    let total =
      """
      ≈ \(Durations.text(seconds)) of training remains. Times are estimates: the fastest of a \
      few steps on random tokens on these ranks or, if a step is long or large, its matrix \
      products at 60 % of the measured peak. Excluded are commands, building datasets, \
      checkpoints, and evaluations other than those of pretraining.
      """
    let cores = Cores.count
    let shared =
      threads > cores
      ? "The \(threads) threads of a host (ranks × --threads) share \(cores, "core"): the times are "
        + "those of the cores." : ""
    try StandardOutput.print("")
    for line in (total + " " + shared).wrapped(to: 100) { try StandardOutput.print(line) }
  }
}
