/// What one training step did, summed over all ranks unless it says otherwise.
public struct StepReport: Sendable, Equatable {
  /// The number of the step, from 1.
  public var step: Int
  /// The number of steps that the run will have.
  public var totalSteps: Int
  /// Mean loss of the step's tokens, in nats where the objective is a cross-entropy.
  public var loss: Double
  /// The learning rate that the step used.
  public var learningRate: Double
  /// The Euclidean norm of the gradient before clipping.
  public var gradientNorm: Double
  /// Tokens of this step.
  public var tokens: Int
  /// Tokens since the first step of the run.
  public var tokensSeen: Int
  /// Tokens of this step ÷ its wall time.
  public var tokensPerSecond: Double
  /// Wall time of the step, in seconds.
  public var secondsPerStep: Double
  /// Time in forward and backward passes, in seconds.
  public var secondsCompute: Double
  /// Time in exchanging gradients and weights, hidden or not, in seconds.
  public var secondsExchange: Double
  /// The part of the exchange that no computation hid, in seconds.
  public var secondsExposed: Double
  /// Time in the optimizer, in seconds.
  public var secondsOptimizer: Double
  /// Time spent waiting for batches, in seconds.
  public var secondsData: Double
  /// Floating-point rate ÷ the measured matrix-product peak of the machine; nil when unknown.
  public var gemmShare: Double?
  /// Bytes that this rank sent during the step.
  public var bytesSent: Int
  /// Resident memory of this rank, in bytes.
  public var memoryBytes: Int
  /// Further figures of the phase, such as a reward or a KL divergence, in order.
  public var figures: [Figure]

  /// What is not well, a sentence each.
  public var findings: [String]

  /// A report; the figures that are left out are zero, unknown or none.
  public init(
    step: Int, totalSteps: Int, loss: Double, learningRate: Double, gradientNorm: Double,
    tokens: Int, tokensSeen: Int, tokensPerSecond: Double, secondsPerStep: Double,
    secondsCompute: Double = 0, secondsExchange: Double = 0, secondsExposed: Double = 0,
    secondsOptimizer: Double = 0, secondsData: Double = 0, gemmShare: Double? = nil,
    bytesSent: Int = 0, memoryBytes: Int = 0, figures: [Figure] = [], findings: [String] = []
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
    self.gemmShare = gemmShare
    self.bytesSent = bytesSent
    self.memoryBytes = memoryBytes
    self.figures = figures
    self.findings = findings
  }
}

/// A named number; the name is the key in metrics.jsonl, in camel case.
public struct Figure: Sendable, Equatable {
  /// The name, such as `consistentStories`.
  public let name: String
  /// The number.
  public let value: Double
  /// Whether it is only for metrics.jsonl: a line has room for few.
  public let isDetail: Bool

  /// The figure `value` under `name`.
  public init(_ name: String, _ value: Double, isDetail: Bool = false) {
    self.name = name
    self.value = value
    self.isDetail = isDetail
  }
}
