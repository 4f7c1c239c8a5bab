import Foundation
import Glibc
import Testing

/// A temporary folder for one test, removed when the value is destroyed.
package final class TemporaryFolder {
  package let path: String
  private var mounted = false

  package init() throws {
    var template = Array("\(NSTemporaryDirectory())/apus-tests-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    path = String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
  }

  /// True when this process may mount file systems, as tests of full and read-only disks need.
  package static let mayMount: Bool = {
    guard let folder = try? TemporaryFolder(), folder.mount(bytes: 65536) else {
      print("SKIPPED: tests of a full and of a read-only disk, because mounting is not permitted")
      return false
    }
    return true
  }()

  /// Mounts an empty file system of this size on the folder; returns true on success.
  package func mount(bytes: Int) -> Bool {
    mounted = Glibc.mount("tmpfs", path, "tmpfs", 0, "size=\(bytes)") == 0
    return mounted
  }

  /// Makes the mounted file system read-only, also for root; returns true on success.
  package func makeReadOnly() -> Bool {
    Glibc.mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT | MS_RDONLY), nil) == 0
  }

  deinit {
    if mounted { umount2(path, Int32(MNT_DETACH)) }
    try? FileManager.default.removeItem(atPath: path)
  }

  package func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  package func write(_ bytes: some Sequence<UInt8>, to name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: self(name)))
  }

  package func read(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: self(name))))
  }

  package func names(in name: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: self(name)).sorted()
  }
}
