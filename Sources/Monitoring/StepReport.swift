/// The metrics of one training step, summed over all ranks unless stated otherwise.
package struct StepReport: Sendable, Equatable {
  /// Number of the step, from 1.
  package var step: Int
  /// Number of steps of the run.
  package var totalSteps: Int
  /// Mean loss over the tokens of the step; in nats per token for a cross-entropy.
  package var loss: Double
  /// The name of the loss in the log line, such as `surrogate`.
  package var lossName = "loss"
  /// Learning rate of the step.
  package var learningRate: Double
  /// Euclidean norm of the gradient before clipping.
  package var gradientNorm: Double
  /// Tokens that the step learned from: those of the batch, without padding.
  ///
  /// A pass of a reference model over the same tokens does not count again.
  package var tokens: Int
  /// Tokens since the first step of the run.
  package var tokensSeen: Int
  /// Tokens of the step ÷ `secondsPerStep`.
  package var tokensPerSecond: Double
  /// Wall time of the step, in seconds, without evaluations, saves, and the sampling and scoring of
  /// completions.
  package var secondsPerStep: Double
  /// Time in forward and backward passes, in seconds.
  package var secondsCompute: Double
  /// Time in the exchange of gradients and weights, overlapped or not, in seconds.
  package var secondsExchange: Double
  /// Time of the exchange that no computation overlapped, in seconds.
  package var secondsExposed: Double
  /// Time in the optimizer, in seconds.
  package var secondsOptimizer: Double
  /// Time spent waiting for batches, in seconds.
  package var secondsData: Double
  /// FLOP/s of the matrix products that the step computed ÷ their peak on this machine, at most 1;
  /// nil if unknown.
  ///
  /// The peak is the highest rate that a benchmark or a step has reached.
  package var peakFraction: Double?
  /// Bytes that this rank sent during the step.
  package var bytesSent: Int
  /// Resident memory of this rank, in bytes.
  package var memoryBytes: Int
  /// Energy of all hosts; nil if unknown.
  package var energy: StepEnergy?
  /// Further metrics of the phase, such as a reward or a KL divergence, in order of display.
  package var figures: [Figure]

  /// The reason why the update of the step was not applied, as the part of a sentence; nil for a
  /// step that was trained.
  package var skipped: String?
  /// Warnings about the step, one sentence each.
  package var warnings: [String]

  package init(
    step: Int, totalSteps: Int, loss: Double, learningRate: Double, gradientNorm: Double,
    tokens: Int, tokensSeen: Int, tokensPerSecond: Double, secondsPerStep: Double,
    secondsCompute: Double = 0, secondsExchange: Double = 0, secondsExposed: Double = 0,
    secondsOptimizer: Double = 0, secondsData: Double = 0, peakFraction: Double? = nil,
    bytesSent: Int = 0, memoryBytes: Int = 0, figures: [Figure] = [], warnings: [String] = []
  ) {
    self.step = step
    self.totalSteps = totalSteps
    self.loss = loss
    self.learningRate = learningRate
    self.gradientNorm = gradientNorm
    self.tokens = tokens
    self.tokensSeen = tokensSeen
    self.tokensPerSecond = tokensPerSecond
    self.secondsPerStep = secondsPerStep
    self.secondsCompute = secondsCompute
    self.secondsExchange = secondsExchange
    self.secondsExposed = secondsExposed
    self.secondsOptimizer = secondsOptimizer
    self.secondsData = secondsData
    self.peakFraction = peakFraction
    self.bytesSent = bytesSent
    self.memoryBytes = memoryBytes
    self.figures = figures
    self.warnings = warnings
  }
}

/// The energy of a step, with everything since the step before: evaluations, saves, preparation.
package struct StepEnergy: Sendable, Equatable {
  package var joules: Double
  /// Mean power.
  package var watts: Double
  /// The energy of the run so far.
  package var total: Energy

  package init(joules: Double, watts: Double, total: Energy) {
    self.joules = joules
    self.watts = watts
    self.total = total
  }
}

/// A named metric; the name is its key in metrics.jsonl, in camel case.
package struct Figure: Sendable, Equatable {
  /// The name, such as `consistentStories`.
  package let name: String
  package let value: Double
  /// True for a metric that is only in metrics.jsonl, not in the log line.
  package let isDetail: Bool

  package init(_ name: String, _ value: Double, isDetail: Bool = false) {
    self.name = name
    self.value = value
    self.isDetail = isDetail
  }
}
