import Monitoring

/// A group of observers that all receive the same reports.
final class RunObservers {
  private var all: [any RunObserver]

  init(_ all: [any RunObserver]) {
    self.all = all
  }

  /// Adds `observer`, which receives the reports that follow.
  func add(_ observer: any RunObserver) {
    all.append(observer)
  }

  func step(_ report: StepReport) throws(MonitoringError) {
    for observer in all { try observer.step(report) }
  }

  func skip(_ report: SkipReport) throws(MonitoringError) {
    for observer in all { try observer.skip(report) }
  }

  func evaluation(_ report: EvaluationReport) throws(MonitoringError) {
    for observer in all { try observer.evaluation(report) }
  }

  func event(_ report: EventReport) throws(MonitoringError) {
    for observer in all { try observer.event(report) }
  }

  func profile(_ report: ProfileReport) throws(MonitoringError) {
    for observer in all { try observer.profile(report) }
  }

  func finish() throws(MonitoringError) {
    for observer in all { try observer.finish() }
  }

  /// Reports an event.
  func event(
    _ kind: EventReport.Kind, step: Int? = nil, _ sentence: String
  ) throws(MonitoringError) {
    try event(EventReport(kind, step: step, sentence))
  }
}
