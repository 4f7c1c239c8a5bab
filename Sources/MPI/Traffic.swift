/// The bytes that a rank exchanged with other ranks over one communicator, and its calls.
///
/// Bytes are computed, not measured: they are those of an algorithm that moves the fewest bytes,
/// which each call's documentation names. A rank's data for itself does not count. Summed over all
/// ranks, bytes sent equal bytes received (for an all-reduce within one byte per rank and call, by
/// rounding).
package struct Traffic: Equatable, Sendable {
  /// The bytes sent to other ranks.
  package var bytesSent = 0
  /// The bytes received from other ranks.
  package var bytesReceived = 0
  /// The number of calls of MPI; a long buffer takes several.
  package var calls = 0

  package init() {}

  mutating func record(calls: Int, sent: Int, received: Int) {
    self.calls += calls
    bytesSent += sent
    bytesReceived += received
  }
}
