import Monitoring

/// A group of observers that all receive the same reports.
final class RunObservers {
  var all: [any RunObserver]

  init(_ all: [any RunObserver]) {
    self.all = all
  }

  /// Reports an event.
  func event(_ kind: EventReport.Kind, step: Int? = nil, _ sentence: String) throws {
    for observer in all { try observer.event(EventReport(kind, step: step, sentence)) }
  }
}
