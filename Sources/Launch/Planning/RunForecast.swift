/// The predicted time, energy and checkpoints of a run on a cluster.
package struct RunForecast: Sendable {
  package let step: StepForecast
  /// The seconds of all optimizer steps with evaluations and, in reinforcement learning, sampling and
  /// scoring; nil when the data decides the number of steps.
  package let seconds: Double?
  /// The power of one host, in watts.
  package let wattsPerHost: Double
  /// The bytes of a checkpoint's weights and optimizer state.
  package let checkpointBytes: Double

  package init(
    _ step: StepForecast, seconds: Double?, wattsPerHost: Double, checkpointBytes: Double
  ) {
    self.step = step
    self.seconds = seconds
    self.wattsPerHost = wattsPerHost
    self.checkpointBytes = checkpointBytes
  }

  private var cluster: PlannedCluster { step.cluster }

  package var joules: Double? {
    seconds.map { $0 * wattsPerHost * Double(cluster.hosts) }
  }

  /// The seconds in which a checkpoint is written; training continues meanwhile, so that this is the
  /// most that a checkpoint can cost.
  package var secondsPerCheckpoint: Double { checkpointBytes / cluster.diskBandwidth }

  /// Mean seconds between failures of any host.
  package var betweenFailures: Double { cluster.betweenFailures / Double(cluster.hosts) }

  package var secondsBetweenCheckpointsByYoung: Double {
    CheckpointInterval.young(cost: secondsPerCheckpoint, betweenFailures: betweenFailures)
  }

  package var secondsBetweenCheckpointsByDaly: Double {
    CheckpointInterval.daly(cost: secondsPerCheckpoint, betweenFailures: betweenFailures)
  }

  /// Steps between checkpoints by Daly, at least 1.
  package var stepsBetweenCheckpoints: Int {
    let steps = secondsBetweenCheckpointsByDaly / max(step.seconds, 1e-9)
    return Int(min(max(1, steps.rounded()), 1e12))
  }

  /// The fraction of time that checkpoints after every `steps` steps and lost work take.
  package func loss(every steps: Int) -> Double {
    CheckpointInterval.loss(
      interval: Double(steps) * step.seconds, cost: secondsPerCheckpoint,
      betweenFailures: betweenFailures)
  }
}
