import Configuration
import DataParallel
import Files
import Launch
import MPI
import Monitoring
import Phases
import Tensors
import Training

/// The prediction that `apus plan` prints.
struct ClusterPlan {
  let phase: PhaseKind
  let sketch: PhaseSketch
  let cluster: PlannedCluster
  let work: PlannedWork
  let forecast: RunForecast
  /// Bytes that a rank may use.
  let available: Int
  /// The assumptions: values that were neither given nor measured.
  let assumptions: [String]

  /// Predicts the run of `reader` on the hosts of `arguments`.
  ///
  /// - Parameters:
  ///   - world: This rank alone.
  ///   - cores: The cores of this machine.
  /// - Throws: What would refuse the run, and ``StartRefusal`` when it does not fit.
  init(
    _ phase: PhaseKind, reader: () throws -> ConfigurationReader,
    cluster arguments: PlannedClusterArguments, world: Communicator, cores: Cores.Assignment
  ) throws {
    self.phase = phase
    let bytes = arguments.memory.map { Int($0 * 0x1p30) }
    let (found, prepared) = try ProcessMemory.$planned.withValue(bytes) {
      var (keys, all) = (try reader(), try reader())
      let bf16IsFaster = MatrixLibrary.bf16IsFaster
      let sketch = try phase.type.sketch(&keys, PlannedArtifacts(), bf16IsFaster: bf16IsFaster)
      return (sketch, try phase.type.init(&all, bf16IsFaster: bf16IsFaster))
    }
    var sketch = found
    // The examples stay in memory, as in the run.
    defer { withExtendedLifetime(prepared) {} }
    if sketch.memory(ranks: 1, threads: cores.threads) < ProcessMemory.available() / 4 {
      let run = RunContext(
        folder: RunFolder(prepared.plan.run), world: world, threads: cores.threads)
      sketch.timed = try prepared.preparedForTiming(run).map { (prepared.plan, $0) }
    }
    sketch.rowSizes = try prepared.rowSizes()
    sketch.firstStep = try TrainingRun.firstStep(of: prepared.plan, resume: .never, world: world)
    let plan = sketch.plan
    var (cluster, assumptions) = try arguments.resolved(
      cores: cores.threads, runFolder: plan.run)
    available =
      bytes.map { $0 / cluster.ranksPerHost }
      ?? ProcessMemory.available(ranks: cluster.ranksPerHost)
    try plan.requireRanks(cluster.ranks)
    try plan.requireMemory(available, ranks: cluster.ranks)
    work = try PlannedWork(
      sketch, ranks: cluster.ranks, ranksPerHost: cluster.ranksPerHost, threads: cluster.threads,
      available: available, world: world, cores: cores)
    let needed = work.memory.total + work.calibration.programBytes
    if needed > available {
      throw Failure.Refusal(
        "training needs about \(needed >> 20) MiB of memory on each rank (\(work.memory.list), program "
          + "and data \(work.calibration.programBytes >> 20)), and \(available >> 20) MiB are available "
          + "to it: \(work.memory.largest.remedy)")
    }
    // A byte to another rank of the host is copied twice, each time read and written.
    cluster.localBandwidth =
      work.calibration.peak.memory / Double(4 * cluster.ranksPerHost)
    let step = StepForecast(work.stepWork(sketch), on: cluster)
    let estimate = TimeEstimate(
      sketch, secondsPerStep: step.seconds,
      secondsPerToken: work.secondsPerToken(ranks: cluster.ranks))
    let threads = Double(cluster.ranksPerHost * work.workers * work.team)
    forecast = RunForecast(
      step, seconds: plan.epochs == nil ? estimate.seconds : nil,
      wattsPerHost: threads * plan.energy.wattsPerCore, checkpointBytes: plan.checkpointBytes)
    if work.calibration.scratchBytes == nil {
      assumptions.append(
        "a step at 60 % of the measured peak of the matrix products, because it is too long or too "
          + "large to be run here")
    }
    if !work.hasAllCores {
      assumptions.append(
        "cores as fast as the \(cores.threads) of this machine, and as many as needed share its work "
          + "as well")
    }
    assumptions.append("\(plan.energy.wattsPerCore) W per busy core (energy.wattsPerCore)")
    self.sketch = sketch
    self.cluster = cluster
    self.assumptions = assumptions
  }

  /// The bytes that a rank needs in all.
  var memoryBytes: Int { work.memory.total + work.calibration.programBytes }

  /// The recommendation for `checkpoint.every`.
  var checkpointEvery: Int {
    let steps = min(forecast.stepsBetweenCheckpoints, max(1, sketch.plan.steps))
    // A save waits for the end of a round.
    let round = sketch.plan.diloco?.innerSteps ?? 1
    return max(1, (steps + round / 2) / round) * round
  }
}

extension PlannedWork {
  /// The work of a step for the forecast.
  fileprivate func stepWork(_ sketch: PhaseSketch) -> StepWork {
    let plan = sketch.plan
    let joins = calibration.workers > 1 ? Double(workers - 1) / Double(calibration.workers - 1) : 1
    var work = StepWork(
      elements: plan.counts.trained, gradientBytes: plan.reduction == .fast ? 2 : 4,
      parts: volume.parts, partsPerHost: volume.partsPerHost,
      hasTwoLevels: volume.hasTwoLevels, buckets: volume.buckets, tokens: sketch.tokensPerStep,
      secondsCompute: Double(gradients * volume.rounds) * secondsPerLeaf,
      // Two thirds of the products of the last micro-batch are those of its backward pass.
      secondsOverlapped: secondsPerLeaf / Double(plan.accumulation) * 2 / 3,
      secondsUpdate: calibration.secondsUpdate,
      undividedUpdate: PlannedWork.undividedUpdate(of: plan),
      secondsOther: calibration.secondsOther * joins)
    work.rounds = plan.diloco.map { .init(workers: $0.workers, steps: $0.innerSteps) }
    return work
  }
}
