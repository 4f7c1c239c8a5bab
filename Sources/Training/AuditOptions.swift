import Configuration

/// The keys of the search for machines that compute wrongly.
package struct AuditOptions: Sendable {
  /// Steps between audits; 0 for none.
  package let every: Int
  /// Seconds in which every core multiplies numbers with a known result before the first step.
  package let burnIn: Double

  package init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    every = try reader.integer(
      "audit.every", default: 0, in: 0..., unit: "steps", decidesBits: false,
      help: "interval at which every rank recomputes a gradient of another host and compares the "
        + "bits, which finds machines that compute wrongly; 0 never does")
    burnIn = try reader.number(
      "audit.burnIn", default: 0, in: 0...3600, unit: "seconds", decidesBits: false,
      help: "before the first step every core multiplies numbers with a known result for so long, "
        + "which finds wrong and slow cores; 0 does not")
  }
}
