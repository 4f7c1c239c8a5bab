internal import CMPI
internal import Glibc

/// An MPI communicator: ranks whose messages are separate from those of all other communicators
/// (MPI Standard 3.1, chapter 6).
///
/// Every rank of the communicator must call its collectives, in the same order, with the same
/// ``maximumCount`` and ``maximumAllToAllBytes``.
///
/// `@unchecked Sendable`: MPI at thread level "serialized" allows any thread, one at a time, and
/// the counters and tables here rely on the same rule. The caller orders the calls of different
/// threads; this class does not lock. The rule includes the release of the last reference, which
/// frees the communicator.
package final class Communicator: @unchecked Sendable {
  /// The number of this process in the communicator, from 0.
  package let rank: Int
  /// The number of processes in the communicator.
  package let size: Int

  /// The most elements that one call of MPI carries; longer buffers take several calls.
  ///
  /// MPI counts in 32 bits; only tests need a smaller limit. Every rank of the communicator must
  /// set the same value.
  package var maximumCount = Int(Int32.max) {
    willSet {
      precondition(
        1...Int(Int32.max) ~= newValue, "maximumCount is within 1…2³¹−1, not \(newValue)")
    }
  }

  /// The most bytes that a rank passes to one call of an all-to-all, by default just under 64 MiB.
  ///
  /// Open MPI up to 4.1.4 computes buffer offsets of an all-to-all in 32 bits (open-mpi/ompi pull
  /// request 10685). Every rank of the communicator must set the same value.
  package var maximumAllToAllBytes = (64 << 20) - 1 {
    willSet { precondition(newValue >= 1, "maximumAllToAllBytes is positive, not \(newValue)") }
  }

  /// The traffic of this rank over this communicator since the start or the last
  /// ``resetTraffic()``.
  package internal(set) var traffic = Traffic()

  let handle: MPI_Comm
  private let isOwned: Bool

  /// The 32-bit counts and displacements of both sides of a v-collective, `size` each.
  ///
  /// They are allocated once, so that a training step allocates nothing.
  let tables: UnsafeMutablePointer<Int32>

  /// Wraps `handle`; `deinit` frees an owned one.
  init(_ handle: MPI_Comm, isOwned: Bool) throws(MPIError) {
    var rank: Int32 = 0
    var size: Int32 = 0
    // Set on every communicator: some ways to make one need not inherit the error handler.
    try check(MPI_Comm_set_errhandler(handle, cmpi_errors_return()), "MPI_Comm_set_errhandler")
    try check(MPI_Comm_rank(handle, &rank), "MPI_Comm_rank")
    try check(MPI_Comm_size(handle, &size), "MPI_Comm_size")
    self.rank = Int(rank)
    self.size = Int(size)
    self.handle = handle
    self.isOwned = isOwned
    tables = .allocate(capacity: 4 * Int(size))
    tables.initialize(repeating: 0, count: 4 * Int(size))
  }

  deinit {
    tables.deallocate()
    // Collective by the Standard (section 6.4.3), local in Open MPI; an error after MPI_Finalize.
    guard isOwned, MPIEnvironment.isRunning else { return }
    cmpi_comm_free(handle)
  }

  /// Resets ``traffic`` to zero.
  package func resetTraffic() {
    traffic = Traffic()
  }

  /// The name of the host that this rank runs on (section 8.1.2).
  package static var hostName: String {
    get throws(MPIError) {
      var length: Int32 = 0
      var name = [CChar](repeating: 0, count: Int(MPI_MAX_PROCESSOR_NAME) + 1)
      try check(MPI_Get_processor_name(&name, &length), "MPI_Get_processor_name")
      return String(decoding: name.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
  }

  /// Ends all ranks of the program at once with `code`, which `mpirun` then returns (section 8.7).
  ///
  /// One rank calls, from any thread. Buffered output is written first; no `deinit` runs.
  package func abort(code: Int32) -> Never {
    fflush(nil)
    if MPIEnvironment.isRunning { MPI_Abort(handle, code) }
    _exit(code)
  }
}
