import Tensors

extension DataParallel {
  /// Starts a profiling timeline on every thread; do not call it while they compute.
  package func startTimelines() {
    for worker in workers { worker.workspace.timeline = Timeline() }
    timelines = (Timeline(), Timeline())
  }

  /// Ends the profiling and returns the spans of every thread of this rank since `startTimelines`.
  package func takeTimelines() -> [(thread: String, spans: [Timeline.Span])] {
    guard let timelines else { return [] }
    defer {
      self.timelines = nil
      for worker in workers { worker.workspace.timeline = nil }
    }
    return workers.enumerated().map { ("worker \($0)", $1.workspace.timeline?.spans ?? []) } + [
      ("communication", timelines.communication.spans), ("main", timelines.main.spans),
    ]
  }

  /// The profiling timeline of the calling thread, or nil.
  package var timeline: Timeline? { timelines?.main }
}
