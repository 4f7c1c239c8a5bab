import Monitoring

/// A group of observers that all receive the same reports.
final class RunObservers {
  private var all: [any RunObserver]

  init(_ all: [any RunObserver]) {
    self.all = all
  }

  func add(_ observer: any RunObserver) {
    all.append(observer)
  }

  func step(_ report: StepReport) throws {
    for observer in all { try observer.step(report) }
  }

  func evaluation(_ report: EvaluationReport) throws {
    for observer in all { try observer.evaluation(report) }
  }

  func event(_ report: EventReport) throws {
    for observer in all { try observer.event(report) }
  }

  func profile(_ report: ProfileReport) throws {
    for observer in all { try observer.profile(report) }
  }

  func finish() throws {
    for observer in all { try observer.finish() }
  }
}
