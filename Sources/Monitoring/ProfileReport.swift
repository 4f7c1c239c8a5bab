/// What the threads of one rank did during some steps.
public struct ProfileReport: Sendable {
  /// A piece of work.
  public struct Span: Sendable, Equatable {
    /// What was done.
    public let name: String
    /// The part of the step: forward, backward or other.
    public let phase: String
    /// Seconds since the profile began.
    public let start: Double
    /// Seconds it took.
    public let duration: Double
    /// Floating-point operations of its matrix products.
    public let operations: Double
    /// Bytes that it at least moves.
    public let bytes: Double

    /// See the properties.
    public init(
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

  /// A thread and what it did, in the order of the ends.
  public struct Lane: Sendable {
    /// The thread's name.
    public let name: String
    /// Whether it is one of those that compute.
    public let computes: Bool
    /// Its work.
    public let spans: [Span]

    /// See the properties.
    public init(name: String, computes: Bool, spans: [Span]) {
      self.name = name
      self.computes = computes
      self.spans = spans
    }
  }

  /// What the computing threads of this rank reach together when every rank is at work.
  public struct Peak: Sendable, Equatable, Codable {
    /// Floating-point operations of matrix products a second.
    public let products: Double
    /// Bytes of memory a second.
    public let memory: Double

    /// See the properties.
    public init(products: Double, memory: Double) {
      self.products = products
      self.memory = memory
    }
  }

  /// The rank.
  public let rank: Int
  /// The steps, by their numbers.
  public let steps: ClosedRange<Int>
  /// Seconds they took.
  public let seconds: Double
  /// The threads.
  public let lanes: [Lane]
  /// What the machine can do.
  public let peak: Peak
  /// Where the trace is.
  public let trace: String

  /// See the properties.
  public init(
    rank: Int, steps: ClosedRange<Int>, seconds: Double, lanes: [Lane], peak: Peak, trace: String
  ) {
    self.rank = rank
    self.steps = steps
    self.seconds = seconds
    self.lanes = lanes
    self.peak = peak
    self.trace = trace
  }

  /// Writes the spans as a Chrome trace, which Perfetto and chrome://tracing show: a process is a
  /// rank, a thread a thread.
  ///
  /// Format: "Trace Event Format" (Google), complete events ("X") with times in microseconds.
  public func writeTrace() throws(MonitoringError) {
    var events: [JSONValue] = [
      Self.naming("process_name", rank, lane: 0, "rank \(rank)")
    ]
    for (lane, thread) in lanes.enumerated() {
      events.append(Self.naming("thread_name", rank, lane: lane, thread.name))
      for span in thread.spans {
        var arguments: [JSONMember] = []
        if span.operations > 0 {
          arguments.append(JSONMember("GFLOP", .number(span.operations / 1e9)))
        }
        if span.bytes > 0 { arguments.append(JSONMember("MB", .number(span.bytes / 1e6))) }
        events.append(
          .object([
            JSONMember("name", .string(span.name)), JSONMember("cat", .string(span.phase)),
            JSONMember("ph", .string("X")), JSONMember("pid", .integer(rank)),
            JSONMember("tid", .integer(lane)), JSONMember("ts", .number(span.start * 1e6)),
            JSONMember("dur", .number(span.duration * 1e6)),
            JSONMember("args", .object(arguments)),
          ]))
      }
    }
    let file = try OutputFile(path: trace)
    try file.truncate(to: 0)
    var bytes = Array(
      JSONValue.object([
        JSONMember("displayTimeUnit", .string("ms")), JSONMember("traceEvents", .array(events)),
      ]).compact.utf8)
    try file.write(&bytes)
  }

  private static func naming(_ kind: String, _ rank: Int, lane: Int, _ name: String) -> JSONValue {
    .object([
      JSONMember("name", .string(kind)), JSONMember("ph", .string("M")),
      JSONMember("pid", .integer(rank)), JSONMember("tid", .integer(lane)),
      JSONMember("args", .object([JSONMember("name", .string(name))])),
    ])
  }
}
