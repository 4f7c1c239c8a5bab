import Files
import Glibc

/// A pipe; its ends are closed with it, and no other program inherits them.
package final class ClosingPipe {
  package private(set) var reading: Int32
  package private(set) var writing: Int32

  package init() throws(StorageError) {
    var ends: [Int32] = [-1, -1]
    _ = try FileSystem.call("create", "a pipe") { pipe(&ends) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    (reading, writing) = (ends[0], ends[1])
  }

  deinit {
    closeReading()
    closeWriting()
  }

  package func closeReading() {
    if reading >= 0 { close(reading) }
    reading = -1
  }

  package func closeWriting() {
    if writing >= 0 { close(writing) }
    writing = -1
  }
}
