// "What happened. Depends on no other room; everyone may tell it."

/// Somebody who is told, after the fact, what a run did.
///
/// The training loop calls from one thread at a time, on one rank; nothing is called back.
public protocol RunObserver: AnyObject, Sendable {
  /// A training step is done.
  func step(_ report: StepReport) throws(MonitoringError)
  /// An evaluation is done.
  func evaluation(_ report: EvaluationReport) throws(MonitoringError)
  /// Something happened beside the steps.
  func event(_ report: EventReport) throws(MonitoringError)
  /// Some steps were looked at in detail.
  func profile(_ report: ProfileReport) throws(MonitoringError)
  /// The run is over; nothing follows.
  func finish() throws(MonitoringError)
}

extension RunObserver {
  /// Most have no use for it.
  public func profile(_ report: ProfileReport) throws(MonitoringError) {}
}
