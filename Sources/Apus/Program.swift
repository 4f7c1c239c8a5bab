import Files
import Foundation

/// The identity of this executable, for the start contract between ranks.
enum Program {
  /// The path of this executable.
  static var path: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      ?? CommandLine.arguments[0]
  }

  /// The version and 16 digits of the executable's SHA-256, by which builds of one version differ.
  ///
  /// The version alone if the executable cannot be read, for example without /proc.
  static var identity: String {
    guard let hash = try? InputFile("/proc/self/exe").sha256() else {
      return ApusCommand.version
    }
    return ApusCommand.version + " " + hash.prefix(16)
  }
}
