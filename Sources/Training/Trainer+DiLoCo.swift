import Checkpoints
import DataParallel
import Faults
import MPI
import Monitoring
import Objectives

extension Trainer {
  /// The step at which the ranks agree on the weights next, from 1.
  var nextAgreement: Int { diloco?.settings.roundEnd(after: state.step) ?? state.step + 1 }

  /// Trains to the next agreement of the ranks on the weights: one step, or with DiLoCo a round.
  ///
  /// Collective; arguments and errors are those of `step`.
  ///
  /// - Returns: The reports of the steps, and the control words of all ranks after the last.
  func advance(
    sending word: ControlWord, awaitReaders: () throws -> Void = {}
  ) throws -> (reports: [StepReport], words: [ControlWord]) {
    guard let diloco else {
      let (report, words) = try step(sending: word, awaitReaders: awaitReaders)
      return ([report], words)
    }
    return try round(of: diloco, sending: word, awaitReaders: awaitReaders)
  }

  /// One round of DiLoCo, or one step without it, for measurements.
  ///
  /// Collective.
  package func round() throws -> [StepReport] { try advance(sending: ControlWord()).reports }

  /// One round: the inner steps of this rank's workers, one worker after the other, with messages
  /// within its group only; then the agreement of all ranks.
  private func round(
    of diloco: DiLoCoPart, sending word: ControlWord, awaitReaders: () throws -> Void
  ) throws -> (reports: [StepReport], words: [ControlWord]) {
    var clock = Stopwatch()
    let steps = state.step..<nextAgreement
    var costs = steps.map { _ in StepCost() }
    var record = RoundRecord(workers: diloco.workers.count)
    let flopsBefore = replicas.flops
    try awaitReaders()
    try diloco.outer.begin(replicas)
    for (place, worker) in diloco.workers.enumerated() {
      if place > 0 { try diloco.outer.restart(replicas) }
      for (step, index) in zip(steps, costs.indices) {
        let (figures, checksum) = try innerStep(
          step, of: worker, diloco.inner[place], cost: &costs[index])
        record.append(figures, checksum: checksum, ofWorker: place)
      }
      try diloco.outer.add(worker: worker, of: replicas)
    }
    let sentBefore = bytesSent
    let flops = replicas.flops - flopsBefore

    activity.begin(.update, step: steps.upperBound)
    // Sleeps until the slowest worker is done.
    if replicas.world.size > 1 { try replicas.world.awaitAll() }
    var word = word
    word.signals.formUnion(Signals.take())
    word.flops = Int(flops)
    word.computeMicroseconds = Int(costs.reduce(0) { $0 + $1.compute } * 1e6)
    word.energy = takeEnergy()
    let words = try word.exchanged(over: replicas.world)
    let all = try record.exchanged(
      over: replicas.world, diloco.groups, first: steps.lowerBound + 1)
    try observe(all, first: steps.lowerBound + 1)
    FaultSchedule.reach(.agreement)
    let norm = try diloco.outer.sumOverWorkers(replicas)
    guard norm.isFinite else {
      throw DivergenceGuard.Diverged(step: steps.upperBound, "outer gradient norm", is: norm)
    }
    try diloco.outer.update(replicas, update: steps.upperBound / diloco.settings.innerSteps)
    state.step = steps.upperBound
    try requireEqualWeights()

    activity.begin(.boundary, step: steps.upperBound)
    keepGuards()
    let seconds = clock.lap()
    secondsOfSteps += seconds
    costs[costs.count - 1].add(
      agreement: seconds - costs.reduce(0) { $0 + $1.seconds }, bytes: bytesSent - sentBefore)
    let peakFraction = peak.fraction(words.reduce(0) { $0 + Double($1.flops) } / seconds)
    let secondsData = takeSecondsData() / Double(costs.count)
    var reports = zip(steps, zip(all, costs)).map { step, result in
      report(step: step + 1, result.0, result.1, secondsData: secondsData)
    }
    for index in reports.indices { reports[index].peakFraction = peakFraction }
    reports[reports.count - 1].figures.append(Figure("outerGradientNorm", norm, isDetail: true))
    return (reports, words)
  }

  /// One step of one worker, in its group.
  ///
  /// - Returns: Its figures, and the checksum of the weights that it reads; 0 where the group is one rank.
  private func innerStep(
    _ step: Int, of worker: Int, _ optimizer: ShardedOptimizer, cost: inout StepCost
  ) throws -> (figures: RoundRecord.Step, checksum: UInt64) {
    var clock = Stopwatch()
    let sentBefore = bytesSent
    activity.begin(.gradient, step: step + 1)
    FaultSchedule.begin(step: step + 1)
    let gradient = try gradient(ofStep: step, from: worker * replicas.plan.microBatches)
    activity.begin(.update, step: step + 1)
    let totals = try tallies.totals(over: replicas)
    let checksum = replicas.group.size == 1 ? 0 : try replicas.weightsChecksum()
    let norm = try replicas.norm(of: gradient) / totals.loss.count
    let passes = clock.lap()
    let gather = try optimizer.update(
      replicas, along: gradient,
      factor: Float((plan.clip > 0 && norm > plan.clip ? plan.clip / norm : 1) / totals.loss.count),
      learningRate: Float(plan.schedule.rate(at: step)), update: step + 1)
    let update = clock.lap()
    cost.add(
      gradient, passes: passes, update: update, gather: gather, bytes: bytesSent - sentBefore)
    return (
      RoundRecord.Step(
        loss: totals.loss, tokens: totals.tokens, gradientNorm: norm,
        measures: objective.hasMeasures ? totals.measures.numbers : []), checksum
    )
  }

  /// Checks the losses and norms of a round, before the global weights change.
  ///
  /// - Throws: `DivergenceGuard.Diverged`, on every rank.
  private func observe(_ steps: [RoundRecord.Step], first: Int) throws(DivergenceGuard.Diverged) {
    for (index, step) in steps.enumerated() {
      try divergence.observe(
        step: first + index, loss: step.loss.mean, count: step.loss.count,
        gradientNorm: step.gradientNorm,
        guess: objective.guessLoss(vocabulary: plan.model.vocabulary),
        sign: objective.divergence(in: step.allMeasures, vocabulary: plan.model.vocabulary))
    }
  }

  /// Counts the tokens of a step, and returns its report.
  private func report(
    step: Int, _ figures: RoundRecord.Step, _ cost: StepCost, secondsData: Double
  ) -> StepReport {
    state.tokensSeen += Int(figures.tokens)
    var report = StepReport(
      step: step, totalSteps: plan.steps, loss: figures.loss.mean,
      learningRate: plan.schedule.rate(at: step - 1), gradientNorm: figures.gradientNorm,
      tokens: Int(figures.tokens), tokensSeen: state.tokensSeen,
      tokensPerSecond: figures.tokens / cost.seconds, secondsPerStep: cost.seconds,
      secondsCompute: cost.compute, secondsExchange: cost.exchange, secondsExposed: cost.exposed,
      secondsOptimizer: cost.update, secondsData: secondsData, bytesSent: cost.bytes,
      memoryBytes: ProcessMemory.resident() ?? 0,
      figures: figures.allMeasures.figures.map { Figure($0.name, $0.value, isDetail: $0.isDetail) },
      warnings: objective.warnings(in: figures.allMeasures))
    report.lossName = objective.lossName
    return report
  }

  /// The bytes that this rank has sent to others.
  private var bytesSent: Int {
    replicas.bytesSent + (diloco?.peers.traffic.bytesSent ?? 0)
  }
}

extension RoundRecord.Step {
  /// The measures; empty without any.
  fileprivate var allMeasures: Measures {
    measures.isEmpty ? Measures() : Measures(numbers: measures)
  }
}

/// The time in seconds and the bytes of a step on this rank, for all its workers.
private struct StepCost {
  private(set) var seconds = 0.0
  private(set) var compute = 0.0
  private(set) var exchange = 0.0
  private(set) var exposed = 0.0
  private(set) var update = 0.0
  private(set) var bytes = 0

  /// Adds the inner step of a worker.
  mutating func add(
    _ gradient: SummedGradient, passes: Double, update: Double, gather: Double, bytes: Int
  ) {
    let agreement = passes - gradient.secondsCompute - gradient.secondsExposed
    seconds += passes + update
    compute += gradient.secondsCompute
    exchange += gradient.secondsExchange + agreement + gather
    exposed += gradient.secondsExposed + agreement + gather
    self.update += update - gather
    self.bytes += bytes
  }

  /// Adds the agreement at the end of a round, and what else no step has.
  mutating func add(agreement: Double, bytes: Int) {
    seconds += agreement
    exchange += agreement
    exposed += agreement
    self.bytes += bytes
  }
}
