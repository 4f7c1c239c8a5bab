internal import CMPI
internal import Glibc

/// A group of ranks that exchange messages apart from all other groups (MPI Standard 3.1, chapter 6).
///
/// Collectives must be called by every rank of the group, in the same order, with the same
/// ``maximumCount`` and ``maximumAllToAllBytes``.
///
/// `@unchecked Sendable`: MPI at thread level "serialized" allows any thread, one at a time, and the
/// counters and tables in here rely on the same rule. Whoever hands a communicator to another thread
/// orders their calls; nothing in here locks. That includes letting the last reference go, which
/// frees the group.
public final class Communicator: @unchecked Sendable {
  /// This process's number in the group, from 0.
  public let rank: Int
  /// The number of processes in the group.
  public let size: Int

  /// The most elements that one call of MPI carries; longer buffers go in several calls.
  ///
  /// MPI counts in 32 bits, and a smaller limit is only of use to tests. Every rank of the group must
  /// hold the same value.
  public var maximumCount = Int(Int32.max) {
    willSet {
      precondition(
        1...Int(Int32.max) ~= newValue, "maximumCount is within 1…2³¹−1, not \(newValue)")
    }
  }

  /// The most bytes that a rank hands to one call of an all-to-all, just under 64 MiB.
  ///
  /// Open MPI up to 4.1.4 computes buffer offsets of an all-to-all in 32 bits (open-mpi/ompi pull
  /// request 10685). Every rank of the group must hold the same value.
  public var maximumAllToAllBytes = (64 << 20) - 1 {
    willSet { precondition(newValue >= 1, "maximumAllToAllBytes is positive, not \(newValue)") }
  }

  /// What this rank has sent and received here since the start or the last ``resetTraffic()``.
  public internal(set) var traffic = Traffic()

  let handle: OpaquePointer
  private let isOwned: Bool

  /// The 32-bit counts and displacements of both sides of a v-collective, `size` each: kept, so that
  /// a training step allocates nothing.
  let tables: UnsafeMutablePointer<Int32>

  /// Wraps `handle`; an owned one is freed with the last reference.
  init(_ handle: OpaquePointer, isOwned: Bool) throws(MPIError) {
    var rank: Int32 = 0
    var size: Int32 = 0
    // Set on every group: whether it is inherited is the implementation's choice for some of them.
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
    // Collective by the Standard (section 6.4.3), local in Open MPI; impossible after the end of MPI.
    guard isOwned, MPIEnvironment.isRunning else { return }
    var handle: OpaquePointer? = handle
    MPI_Comm_free(&handle)
  }

  /// Sets ``traffic`` back to nothing.
  public func resetTraffic() {
    traffic = Traffic()
  }

  /// The name of the host that this rank runs on (section 8.1.2).
  public static var hostName: String {
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
  public func abort(code: Int32) -> Never {
    fflush(nil)
    if MPIEnvironment.isRunning { MPI_Abort(handle, code) }
    _exit(code)
  }
}
