import DataParallel
import MPI
import Monitoring
import Tensors
import Training

/// The work of a run's step on ranks that need not exist, from a calibration with the workers that one
/// of their hosts has.
package struct PlannedWork {
  /// The calibration on this machine.
  package let calibration: StepCalibration
  /// The division of the step.
  package let volume: ExchangeVolume
  /// The gradients of a step that a rank computes one after the other.
  package let gradients: Int
  /// The workers of a planned rank.
  package let workers: Int
  /// The threads of each of them.
  package let team: Int
  /// Forward and backward passes of one leaf, in seconds.
  package let secondsPerLeaf: Double
  /// The bytes that a rank needs.
  package let memory: MemoryNeed
  /// True when this machine has the cores of a planned host.
  package let hasAllCores: Bool

  /// Calibrates a step of `sketch` for hosts with `ranksPerHost` ranks of `threads` threads.
  ///
  /// - Parameters:
  ///   - world: This rank alone.
  ///   - cores: The cores of this machine.
  ///   - available: The bytes that a planned rank may use.
  package init(
    _ sketch: PhaseSketch, ranks: Int, ranksPerHost: Int, threads: Int, available: Int,
    world: Communicator, cores: Cores.Assignment
  ) throws {
    let plan = sketch.plan
    let division = plan.gradientDivision(ranks: ranks)
    let split = Cores.Assignment(threads: threads, cores: nil).workerSplit(
      leaves: division.leaves, ranks: division.ranks,
      memoryLimit: plan.workersThatFit(into: available, ranks: ranks))
    (workers, team) = (split.workers, split.team)
    volume = ExchangeVolume(
      elements: plan.counts.trained, leaves: division.leaves, ranks: division.ranks,
      ranksPerHost: min(ranksPerHost, division.ranks), workers: split.workers,
      reduction: plan.reduction)
    // The workers of DiLoCo that a rank computes one after the other.
    gradients = max(1, (plan.diloco?.workers ?? 1) / ranks)

    // All workers of a host compete for its memory: they run in this one rank.
    let ofHost = min(ranksPerHost * split.workers, plan.leaves)
    hasAllCores = ranksPerHost * threads <= cores.threads
    let own = min(ofHost, cores.threads)
    let ownTeam = own < ofHost ? 1 : max(1, min(split.team, cores.threads / own))
    let leaves = min(
      plan.leaves, ownTeam == 1 ? Self.powerOfTwo(from: own) : Self.powerOfTwo(to: own))
    let used = ownTeam == 1 ? own : leaves * ownTeam
    var part = sketch
    part.plan = plan.with(leaves: leaves)
    calibration = try StepCalibration(
      part, world: world,
      workers: .init(threads: used, cores: cores.cores.map { Array($0.prefix(used)) }))
    let rounds = (leaves + calibration.workers - 1) / calibration.workers
    // A larger team than this machine has cores for is taken to be as efficient as its own.
    secondsPerLeaf =
      calibration.secondsCompute / Double(rounds) * Double(ownTeam) / Double(split.team)
    var bytes = plan.memoryNeed(ranks: ranks, workers: split.workers).bytes
    let scratch = calibration.scratchBytes.map { [calibration] in $0 / calibration.workers }
    bytes[.microBatch] = split.workers * (scratch ?? plan.microBatchBytes)
    bytes[.weights, default: 0] += plan.precision.weightBytes * sketch.frozenModelParameters
    memory = MemoryNeed(bytes: bytes)
  }

  /// The time per token of completions, on all workers of `ranks` ranks together.
  package func secondsPerToken(ranks: Int) -> Double {
    calibration.secondsPerToken * Double(calibration.workers) / Double(workers * ranks)
  }

  /// The fraction of the optimizer's update that every rank makes for all elements: the rounding to
  /// bf16, 6 of the bytes that an element moves.
  package static func undividedUpdate(of plan: TrainingPlan) -> Double {
    plan.precision == .bf16 ? 6 / Double(6 + 4 * (3 + 2 * plan.stateCount)) : 0
  }

  /// The smallest power of two that is not below `count`.
  private static func powerOfTwo(from count: Int) -> Int {
    1 << (Int.bitWidth - (count - 1).leadingZeroBitCount)
  }

  /// The largest power of two that is not above `count`.
  private static func powerOfTwo(to count: Int) -> Int {
    1 << (Int.bitWidth - 1 - count.leadingZeroBitCount)
  }
}
