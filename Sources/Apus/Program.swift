import Datasets
import Foundation

/// What this executable is, for the start-up contract.
enum Program {
  /// Version and a hash of the executable's bytes: two builds of one version differ.
  ///
  /// Without the file, for example where /proc is not mounted, the version alone.
  static var identity: String {
    guard let executable = try? Data(contentsOf: URL(fileURLWithPath: "/proc/self/exe")) else {
      return ApusCommand.version
    }
    return ApusCommand.version + " " + String(FNV1a([UInt8](executable)).value, radix: 16)
  }
}
