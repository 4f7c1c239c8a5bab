internal import Glibc

/// A limit of the shell below which MPI_Init waits for ever or ends without a reason.
///
/// The least values were measured with Open MPI 4.1: its shared files have 4 MiB, a start on four
/// ranks opens more than 32 files, and its threads need a stack of more than 192 KiB.
package struct ShellLimit: Error, Equatable, Sendable, CustomStringConvertible {
  /// The limited resource.
  package let resource: String
  /// The option of `ulimit`.
  package let option: String
  /// The limit; bytes, or files.
  package let value: UInt64
  /// The least limit that is enough.
  package let least: UInt64

  /// One sentence: what, where, why, what to do.
  package var description: String {
    "the limit of \(resource) (ulimit \(option)) is \(value), and MPI needs \(least): raise it and run "
      + "the same command again"
  }

  private static let limits: [(__rlimit_resource, name: String, option: String, least: UInt64)] = [
    (RLIMIT_FSIZE, "the size of a file in bytes", "-f", 6 << 20),
    (RLIMIT_NOFILE, "open files", "-n", 64),
    (RLIMIT_STACK, "the stack in bytes", "-s", 256 << 10),
  ]

  /// The limits of this process that are too low.
  package static var tooLow: [ShellLimit] {
    limits.compactMap { resource, name, option, least in
      var limit = rlimit()
      guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { return nil }
      let value = UInt64(limit.rlim_cur)
      return value < least
        ? ShellLimit(resource: name, option: option, value: value, least: least) : nil
    }
  }

  /// Throws the first limit of this process that is too low.
  static func requireEnough() throws(ShellLimit) {
    if let limit = tooLow.first { throw limit }
  }
}
