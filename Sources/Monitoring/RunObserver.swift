// "Logs and metrics of a run. Knows files alone; any module may use it."

/// A receiver of reports on a run, such as a log or a metrics file.
///
/// The training loop calls it on one rank and from one thread at a time, after the reported work;
/// an observer does not influence the run, except by throwing.
package protocol RunObserver: AnyObject, Sendable {
  /// Receives the report of a training step.
  func step(_ report: StepReport) throws(MonitoringError)
  /// Receives the report of steps that the run passes over.
  func skip(_ report: SkipReport) throws(MonitoringError)
  /// Receives the report of an evaluation.
  func evaluation(_ report: EvaluationReport) throws(MonitoringError)
  /// Receives an event outside the steps.
  func event(_ report: EventReport) throws(MonitoringError)
  /// Receives the profile of some steps.
  func profile(_ report: ProfileReport) throws(MonitoringError)
  /// Is called once at the end of the run.
  func finish() throws(MonitoringError)
}

extension RunObserver {
  /// Ignores the steps.
  package func skip(_ report: SkipReport) throws(MonitoringError) {}

  /// Ignores the profile.
  package func profile(_ report: ProfileReport) throws(MonitoringError) {}
}
