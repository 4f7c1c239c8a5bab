internal import CMPI
internal import Glibc

extension Communicator {
  /// Returns when every rank has called; every rank must call (MPI Standard 3.1, section 5.3).
  ///
  /// Traffic: one call, no bytes.
  package func barrier() throws(MPIError) {
    try collective(MPI_Barrier(handle), "MPI_Barrier")
    traffic.record(calls: 1, sent: 0, received: 0)
  }

  /// Waits like `barrier`, but asleep; every rank must call (MPI Standard 3.1, section 5.12.1).
  ///
  /// A blocking call of MPI spins, and takes the core from the worker that computes on it. This one
  /// tests for completion every 20 µs at first, and every 200 µs after a while. A blocking
  /// collective after it starts at once, since every rank has arrived. It returns up to log₂(size)
  /// of these intervals after the last rank has called, because MPI makes progress only inside its
  /// calls.
  ///
  /// Traffic: one call, no bytes.
  package func awaitAll() throws(MPIError) {
    var request = cmpi_request_null()
    var isDone: Int32 = 0
    var nap = 20_000
    CollectiveProgress.begin("MPI_Ibarrier")
    defer { CollectiveProgress.end() }
    try check(MPI_Ibarrier(handle, &request), "MPI_Ibarrier")
    while true {
      try check(MPI_Test(&request, &isDone, cmpi_status_ignore()), "MPI_Test")
      if isDone != 0 { break }
      var duration = timespec(tv_sec: 0, tv_nsec: nap)
      nanosleep(&duration, nil)
      nap = min(nap + nap / 4, 200_000)
    }
    traffic.record(calls: 1, sent: 0, received: 0)
  }
}
