import Glibc

/// What one thread did, and when: for a profile.
///
/// Used by one thread at a time.
public final class Timeline: @unchecked Sendable {
  // Sendable: its thread appends; whoever reads it waited for that thread.

  /// A piece of work.
  public struct Span: Sendable, Equatable {
    /// What was done; an operation's Swift name, with its sizes where it is a product.
    public let name: String
    /// Which part of a step it belongs to.
    public let phase: Phase
    /// Nanoseconds of the system's steady clock.
    public let start: UInt64
    /// Nanoseconds it took.
    public let duration: UInt64
    /// Floating-point operations of its matrix products.
    public let operations: Double
    /// Bytes that it at least reads and writes, were nothing in a cache.
    public let bytes: Double
  }

  /// The parts of a step.
  public enum Phase: String, Sendable, CaseIterable {
    /// From the batch to the loss, and what is computed once more.
    case forward
    /// From the loss to the gradients.
    case backward
    /// Everything else.
    case other
  }

  /// The pieces, in the order of their ends.
  public private(set) var spans: [Span] = []
  /// Whether the backward pass of an operation is under way.
  var isInBackward = false
  /// Where the next span that nobody announced begins.
  private var last = Timeline.now()

  /// Begins now.
  public init() {}

  /// Nanoseconds of the system's steady clock.
  public static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// What begins now begins here, whatever came before.
  public func skip() {
    last = Timeline.now()
  }

  /// Everything since the end of the last span, or since `start`, was `name`.
  public func mark(
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
  /// Counts operations of matrix products towards the span under way; those of an evaluation, which
  /// records nothing, belong to none.
  func count(operations: Double) {
    if let timeline, isRecording || timeline.isInBackward { productOperations += operations }
  }

  /// Notes that the operation `function` has just made `result` of `inputs`.
  ///
  /// - Parameter bytes: What it at least moves; nil for the result and all of the inputs, or for
  ///   nothing where the result is a view of an input.
  /// - Returns: What to call its backward pass, nil without a timeline.
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

  /// Runs `body` as the backward pass of what `profile` names.
  func timed(_ profile: TapeEntry.Profile?, _ body: () -> Void) {
    guard let timeline, let profile else { return body() }
    let start = Timeline.now()
    timeline.isInBackward = true
    body()
    timeline.isInBackward = false
    // Values are read once more, and derivatives of all of them read or written.
    timeline.mark(
      profile.name, .backward, since: start, operations: takeOperations(), bytes: 2 * profile.bytes)
  }

  private func takeOperations() -> Double {
    defer { productOperations = 0 }
    return productOperations
  }
}

extension Tensor {
  /// Bytes of the elements.
  var bytes: Double { Double(count * type.stride) }
}
