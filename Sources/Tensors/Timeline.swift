import Glibc

/// A profiling timeline of one thread.
///
/// Used by one thread at a time.
package final class Timeline: @unchecked Sendable {
  // Sendable: only its thread appends; readers wait for that thread first.

  /// A timed piece of work.
  package struct Span: Sendable, Equatable {
    /// The Swift name of the operation, with its sizes for matrix products; or another label.
    package let name: String
    /// The part of the step that it belongs to.
    package let phase: Phase
    /// Start time in nanoseconds of the system's monotonic clock.
    package let start: UInt64
    /// Duration in nanoseconds.
    package let duration: UInt64
    /// FLOPs of its matrix products.
    package let operations: Double
    /// The least number of bytes that it reads and writes, assuming no cache hits.
    package let bytes: Double
  }

  /// The parts of a step.
  package enum Phase: String, Sendable, CaseIterable {
    /// From the batch to the loss, including activation recomputation.
    case forward
    /// From the loss to the gradients.
    case backward
    /// All other work.
    case other
  }

  /// The spans, in the order of their ends.
  package private(set) var spans: [Span] = []
  /// True while the backward pass of an operation runs.
  var isInBackward = false
  /// The start of the next span without an explicit start.
  private var last = Timeline.now()

  /// Creates a timeline whose first span starts now.
  package init() {}

  /// Returns the nanoseconds of the system's monotonic clock.
  package static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Sets the start of the next span to now; the time since the last span is not reported.
  package func skip() {
    last = Timeline.now()
  }

  /// Appends the span `name` from `start`, or from the end of the last span, until now.
  package func mark(
    _ name: String, _ phase: Phase = .other, since start: UInt64? = nil, operations: Double = 0,
    bytes: Double = 0
  ) {
    let now = Timeline.now()
    let start = start ?? last
    spans.append(
      Span(
        name: name, phase: phase, start: start, duration: now - start, operations: operations,
        bytes: bytes))
    last = now
  }
}

extension Workspace {
  /// Adds FLOPs of matrix products to the workspace's sum and to the current span.
  ///
  /// An evaluation, which records nothing, counts towards no span.
  func count(operations: Double) {
    flops += operations
    if let timeline, isRecording || timeline.isInBackward { productOperations += operations }
  }

  /// Appends a span for the operation `function`, which has just computed `result` from `inputs`.
  ///
  /// - Parameter bytes: The least number of bytes that it moves; nil for the result and all inputs,
  ///   or for 0 when the result is a view of an input.
  /// - Returns: The profile of its backward pass; nil without a timeline.
  func note(
    _ function: String, _ result: Tensor, of inputs: [Tensor?], bytes: Double?
  ) -> TapeEntry.Profile? {
    guard let timeline else { return nil }
    var name = String(function.prefix { $0 != "(" })
    if productOperations > 0, let input = inputs.first ?? nil, result.shape.count > 1 {
      name += " \(input.columns)→\(result.columns)"
    }
    let inputs = inputs.compactMap { $0 }
    let isView = inputs.contains { $0.storage === result.storage }
    let bytes = bytes ?? (isView ? 0 : inputs.reduce(result.bytes) { $0 + $1.bytes })
    timeline.mark(name, .forward, operations: takeOperations(), bytes: bytes)
    return TapeEntry.Profile(name: name, bytes: bytes)
  }

  /// Runs `body`, the backward pass of an operation, and appends a span for it.
  func timed(_ profile: TapeEntry.Profile?, _ body: () -> Void) {
    guard let timeline, let profile else { return body() }
    let start = Timeline.now()
    timeline.isInBackward = true
    body()
    timeline.isInBackward = false
    // The values are read again, and a gradient of each of them is read or written.
    timeline.mark(
      profile.name, .backward, since: start, operations: takeOperations(), bytes: 2 * profile.bytes)
  }

  private func takeOperations() -> Double {
    defer { productOperations = 0 }
    return productOperations
  }
}

extension Tensor {
  /// The bytes of the elements.
  var bytes: Double { Double(count * type.stride) }
}
