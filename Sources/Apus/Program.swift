import Files
import Foundation

/// The identity of this executable, for the start contract between ranks.
enum Program {
  /// The version and a hash of the executable's bytes, since two builds of one version may differ.
  ///
  /// The version alone if the executable cannot be read, for example without /proc.
  static var identity: String {
    guard let executable = try? Data(contentsOf: URL(fileURLWithPath: "/proc/self/exe")) else {
      return ApusCommand.version
    }
    return ApusCommand.version + " " + String(FNV1a([UInt8](executable)).value, radix: 16)
  }
}
