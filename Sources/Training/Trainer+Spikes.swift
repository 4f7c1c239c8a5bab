import Checkpoints
import DataParallel

/// The steps whose updates are not applied.
extension Trainer {
  /// Judges the loss and gradient norm of the step that is computed, and records it if its update must
  /// not be applied; the values are equal on all ranks.
  ///
  /// - Returns: The reason to skip the step, as the part of a sentence; nil to train it.
  /// - Throws: `DivergenceGuard.Diverged`, on every rank.
  func judge(_ totals: StepTotals, norm: Double) throws(DivergenceGuard.Diverged) -> String? {
    let (step, loss) = (state.step + 1, totals.loss.mean)
    if let reason = spikes?.reason(loss: loss, gradientNorm: norm) {
      let limit = plan.onSpike.limit
      guard skips.stepsInARow(upTo: state.step) < limit else {
        throw DivergenceGuard.Diverged(
          step: step,
          reason: "\(reason), after \(limit, "skipped step") in a row, the most that guard.limit "
            + "allows")
      }
      skips.insert(
        SkippedSteps(step, through: step, .step, reason: reason, loss: loss, gradientNorm: norm))
      return reason
    }
    try divergence.observe(
      step: step, loss: loss, count: totals.loss.count, gradientNorm: norm,
      guess: objective.guessLoss(vocabulary: plan.model.vocabulary),
      sign: objective.divergence(in: totals.measures, vocabulary: plan.model.vocabulary))
    spikes?.note(loss: loss, gradientNorm: norm)
    firstFault = divergence.fault == nil ? nil : firstFault ?? step
    return nil
  }

  /// Passes over the steps of `entry`, of which the next step is the first: no gradient is computed, and
  /// weights and optimizer state keep their bits.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - entry: Steps of the record.
  ///   - last: The last of them, at most that of the run.
  ///   - word: This rank's control word.
  /// - Returns: The control words of all ranks.
  func passOver(
    _ entry: SkippedSteps, to last: Int, sending word: ControlWord
  ) throws -> [ControlWord] {
    if entry.kind == .step {
      // The other steps of an iteration need its completions.
      activity.begin(.preparation, step: state.step + 1)
      state.variables.merge(try objective.prepare(context).variables) { _, new in new }
    }
    activity.begin(.update, step: last)
    var word = word
    word.weights = Int(bitPattern: UInt(try checksumOfWeights()))
    let words = try word.exchanged(over: replicas.world)
    try replicas.world.requireEqualWeights(words, step: last)
    activity.begin(.boundary, step: last)
    state.step = last
    skipReason = entry.kind == .step ? entry.reason : nil
    keepGuards()
    return words
  }

  /// Keeps the state of the guards, and the skipped steps so far, in `state`.
  func keepGuards() {
    (state.recentLosses, state.lowestLoss) = (divergence.recent, divergence.lowest)
    state.forgottenSteps = divergence.forgottenSteps == 0 ? nil : divergence.forgottenSteps
    state.spikeWindow = spikes?.recent
    let past = skips.upTo(state.step).entries
    state.skipped = past.isEmpty ? nil : past
  }

  /// Forgets the losses that the guards compare with: after other examples, other losses are normal.
  func forgetGuards() {
    (state.recentLosses, state.lowestLoss) = ([], nil)
    (state.forgottenSteps, state.spikeWindow) = (nil, nil)
  }

  /// Makes the guards from `state`.
  func resetGuards() {
    divergence = DivergenceGuard(
      spike: plan.spike, examples: plan.microBatches * plan.rows, recent: state.recentLosses,
      lowest: state.lowestLoss, forgotten: state.forgottenSteps ?? 0)
    spikes = plan.spikeRule(recent: state.spikeWindow)
    (skipReason, firstFault) = (nil, nil)
  }

  /// Goes back to step 0: the initial weights, and no optimizer state.
  func restart() throws {
    try initializeWeights()
    for buffer in optimizer.state { buffer.elements.update(repeating: 0) }
    state = TrainingState(settings: state.settings)
    resetGuards()
  }

  /// True when every trained weight is a finite number.
  var hasFiniteWeights: Bool { replicas.parameters.elements.allSatisfy { $0.isFinite } }

  /// Refuses to save weights that are not finite numbers, or whose loss was not one in the last step,
  /// after which no step tells whether the batch or the weights are at fault.
  ///
  /// - Throws: `DivergenceGuard.Diverged`, on every rank when their weights are equal.
  func requireSoundWeights() throws(DivergenceGuard.Diverged) {
    let step = state.step
    guard hasFiniteWeights else {
      throw DivergenceGuard.Diverged(
        step: step, reason: "not all of its weights are finite numbers")
    }
    if let entry = skips.entry(at: step), entry.kind == .step, !entry.isFinite {
      throw DivergenceGuard.Diverged(
        step: step,
        reason:
          "\(entry.reason) in the last step, and no other one shows that its weights are sound",
        setting: "guard.skipped: [\(step)]")
    }
  }
}

extension TrainingPlan {
  /// Returns the rule of `guard.onSpike: skip`, with the steps of a run that is resumed; nil without it.
  func spikeRule(recent: SpikeWindow? = nil) -> SpikeRule? {
    guard onSpike.action == .skip else { return nil }
    return SpikeRule(deviations: onSpike.deviations, recent: recent ?? SpikeWindow())
  }
}
