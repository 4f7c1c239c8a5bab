/// What a rank had to hand to other ranks, and they to it, over one communicator.
///
/// Bytes are those that the best known algorithm moves at the least, so that they can be compared
/// with a formula; each call's documentation names the algorithm. What a rank keeps for itself
/// costs nothing. Summed over all ranks, bytes sent equal bytes received (for an all-reduce up to
/// one byte a rank and call, by rounding).
public struct Traffic: Equatable, Sendable {
  /// Bytes handed to other ranks.
  public var bytesSent = 0
  /// Bytes taken from other ranks.
  public var bytesReceived = 0
  /// Calls of MPI; a long buffer takes several.
  public var calls = 0

  /// No traffic yet.
  public init() {}

  mutating func record(calls: Int, sent: Int, received: Int) {
    self.calls += calls
    bytesSent += sent
    bytesReceived += received
  }
}
