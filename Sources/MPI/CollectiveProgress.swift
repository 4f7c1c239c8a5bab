import Synchronization

/// The collective call that this process is in, for a watchdog on another thread.
///
/// All ranks call the same collectives in the same order, so the rank with the lowest `begun` is
/// the one that the others wait for.
package struct CollectiveProgress: Sendable, Equatable {
  /// The number of collective calls that this process has begun.
  package let begun: Int
  /// The function of the call that it is in; nil between calls.
  package let function: String?

  private static let begun = Atomic<Int>(0)
  /// The address of the function's name, which is a literal; 0 between calls.
  private static let function = Atomic<UInt>(0)

  /// The progress now; the two parts may be of neighbouring moments.
  package static var now: CollectiveProgress {
    CollectiveProgress(
      begun: begun.load(ordering: .relaxed),
      function: UnsafePointer<UInt8>(bitPattern: function.load(ordering: .relaxed))
        .map { String(cString: $0) })
  }

  /// The number of `asOne` calls that this process is in.
  private static let depth = Atomic<Int>(0)

  /// Counts all collective calls of `body` as one, so that ranks count alike although one of them
  /// makes more calls, such as with other hosts while the others wait for it.
  ///
  /// Every rank must call.
  package static func asOne<R, Failure: Error>(
    _ body: () throws(Failure) -> R
  ) throws(Failure) -> R {
    if depth.load(ordering: .relaxed) == 0 { begun.wrappingAdd(1, ordering: .relaxed) }
    depth.wrappingAdd(1, ordering: .relaxed)
    defer { depth.wrappingSubtract(1, ordering: .relaxed) }
    return try body()
  }

  /// Records the beginning of a call.
  static func begin(_ name: StaticString) {
    if depth.load(ordering: .relaxed) == 0 { begun.wrappingAdd(1, ordering: .relaxed) }
    function.store(UInt(bitPattern: name.utf8Start), ordering: .relaxed)
  }

  /// Records the end of the call.
  static func end() { function.store(0, ordering: .relaxed) }
}

/// Makes a collective call of MPI, and throws unless it returns MPI_SUCCESS.
func collective(
  _ call: @autoclosure () -> Int32, _ function: StaticString
) throws(MPIError) {
  CollectiveProgress.begin(function)
  let code = call()
  CollectiveProgress.end()
  try check(code, function)
}
