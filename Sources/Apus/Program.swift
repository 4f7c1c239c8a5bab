import Files
import Foundation

/// The identity of this executable, for the start contract between ranks.
enum Program {
  /// The path of this executable.
  static var path: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      ?? CommandLine.arguments[0]
  }

  /// The version and a hash of the executable's bytes, since two builds of one version may differ.
  ///
  /// The version alone if the executable cannot be read, for example without /proc.
  static var identity: String {
    guard let executable = FileHandle(forReadingAtPath: "/proc/self/exe") else {
      return ApusCommand.version
    }
    var hash = FNV1a()
    // In chunks: a limited address space may have no room for the whole.
    while let chunk = try? executable.read(upToCount: 1 << 20), !chunk.isEmpty {
      chunk.withUnsafeBytes { hash.combine($0.bindMemory(to: UInt8.self)) }
    }
    return ApusCommand.version + " " + String(hash.value, radix: 16)
  }
}
