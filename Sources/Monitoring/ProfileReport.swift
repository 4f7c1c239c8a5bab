import Files

/// The work of the threads of one rank during the profiled steps.
package struct ProfileReport: Sendable {
  /// One operation on one thread.
  package struct Span: Sendable, Equatable {
    /// The operation, such as `linear 768→3072`.
    package let name: String
    /// The phase of the step: forward, backward or other.
    package let phase: String
    /// Start, in seconds since the profile began.
    package let start: Double
    /// Duration, in seconds.
    package let duration: Double
    /// Floating-point operations of its matrix products; 0 for other operations.
    package let operations: Double
    /// Lower bound of the bytes that it moves.
    package let bytes: Double

    package init(
      name: String, phase: String, start: Double, duration: Double, operations: Double = 0,
      bytes: Double = 0
    ) {
      self.name = name
      self.phase = phase
      self.start = start
      self.duration = duration
      self.operations = operations
      self.bytes = bytes
    }
  }

  /// The operations of one thread.
  package struct Lane: Sendable {
    package let name: String
    /// True for a worker, false for a thread that only communicates or writes.
    package let computes: Bool
    /// The operations, in the order of their ends.
    package let spans: [Span]

    package init(name: String, computes: Bool, spans: [Span]) {
      self.name = name
      self.computes = computes
      self.spans = spans
    }
  }

  /// The measured peak rates of all workers of this rank together, while every rank computes.
  package struct Peak: Sendable, Equatable, Codable {
    /// Matrix products, in FLOP/s.
    package let products: Double
    /// Memory bandwidth, in bytes per second.
    package let memory: Double

    package init(products: Double, memory: Double) {
      self.products = products
      self.memory = memory
    }
  }

  package let rank: Int
  /// The numbers of the profiled steps.
  package let steps: ClosedRange<Int>
  /// Wall time of these steps, in seconds.
  package let seconds: Double
  package let lanes: [Lane]
  package let peak: Peak
  /// The path of the trace.
  package let trace: String

  package init(
    rank: Int, steps: ClosedRange<Int>, seconds: Double, lanes: [Lane], peak: Peak, trace: String
  ) {
    self.rank = rank
    self.steps = steps
    self.seconds = seconds
    self.lanes = lanes
    self.peak = peak
    self.trace = trace
  }

  /// Writes the spans as a Chrome trace, for Perfetto and chrome://tracing; each rank is a process.
  ///
  /// Format: "Trace Event Format" (Google), complete events ("X") with times in microseconds.
  package func writeTrace() throws(MonitoringError) {
    var events: [JSONValue] = [
      Self.naming("process_name", rank, lane: 0, "rank \(rank)")
    ]
    for (lane, thread) in lanes.enumerated() {
      events.append(Self.naming("thread_name", rank, lane: lane, thread.name))
      for span in thread.spans {
        var arguments: [(key: String, value: JSONValue)] = []
        if span.operations > 0 {
          arguments.append(("GFLOP", .number(span.operations / 1e9)))
        }
        if span.bytes > 0 { arguments.append(("MB", .number(span.bytes / 1e6))) }
        events.append(
          .object([
            ("name", .string(span.name)), ("cat", .string(span.phase)),
            ("ph", .string("X")), ("pid", .integer(rank)),
            ("tid", .integer(lane)), ("ts", .number(span.start * 1e6)),
            ("dur", .number(span.duration * 1e6)),
            ("args", .object(arguments)),
          ]))
      }
    }
    let document = JSONValue.object([
      ("displayTimeUnit", .string("ms")), ("traceEvents", .array(events)),
    ])
    try MonitoringError.wrapping { () throws(StorageError) in
      try OutputFile(trace).write(document.compact)
    }
  }

  private static func naming(_ kind: String, _ rank: Int, lane: Int, _ name: String) -> JSONValue {
    .object([
      ("name", .string(kind)), ("ph", .string("M")),
      ("pid", .integer(rank)), ("tid", .integer(lane)),
      ("args", .object([("name", .string(name))])),
    ])
  }
}
