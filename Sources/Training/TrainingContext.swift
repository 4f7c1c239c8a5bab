import DataParallel

/// The state of a run between two steps, as objectives and evaluators see it.
///
/// They read it and return what they computed; only the trainer changes its state.
package struct TrainingContext {
  package let plan: TrainingPlan
  /// The copies of the networks on this rank's workers.
  package let replicas: DataParallel<Replica>
  /// The number of optimizer steps done.
  package let step: Int
  /// Values that the phase carries from step to step, by name; checkpoints keep them.
  package let variables: [String: Double]
  /// Seconds of all steps of this attempt, without `Objective.prepare`.
  package let secondsOfSteps: Double
}
