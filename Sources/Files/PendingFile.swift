import Glibc

/// A file that appears under its name whole or not at all: it is written under a temporary name,
/// made durable, and renamed.
///
/// A link to a file stays; the file that it leads to is replaced.
package struct PendingFile: ~Copyable, Sendable {
  package let destination: String
  private var file: OutputFile
  /// True once there is no temporary file to remove.
  private var isPublished: Bool
  private let isInPlace: Bool

  /// Creates the temporary file beside `destination`, and the missing folders above it.
  ///
  /// - Parameter acceptsDevice: True for a path that the user gives: a device or a pipe, such as
  ///   /dev/stdout, is then written in place, and ``StorageError/occupied(path:)`` otherwise.
  package init(_ destination: String, acceptsDevice: Bool = false) throws(StorageError) {
    try FileSystem.makeFolder(FileSystem.parent(of: destination))
    let isInPlace = try FileSystem.kind(of: destination) == .other
    if isInPlace && !acceptsDevice { throw .occupied(path: destination) }
    let target = isInPlace ? destination : FileSystem.resolvingLinks(destination)
    file = try OutputFile(
      isInPlace ? target : Self.temporaryPath(for: target), acceptsDevice: true)
    self.destination = target
    self.isInPlace = isInPlace
    isPublished = isInPlace
  }

  deinit { if !isPublished { unlink(file.path) } }

  /// Returns the temporary path, which contains the process id: two processes that write the same
  /// file do not mix their bytes.
  package static func temporaryPath(for destination: String) -> String {
    "\(destination).\(getpid()).tmp"
  }

  /// Writes `bytes` at the end, or over the bytes at `position`.
  package func write(_ bytes: [UInt8], at position: Int? = nil) throws(StorageError) {
    try file.write(bytes, at: position)
  }

  /// Makes the contents durable and closes the file.
  package mutating func finish() throws(StorageError) {
    try file.close()
  }

  /// Renames the finished file to its destination; the folder still needs
  /// ``FileSystem/sync(folder:)``.
  package mutating func publish() throws(StorageError) {
    if isInPlace { return }
    try FileSystem.call("replace", destination) { rename(file.path, destination) }
    isPublished = true
  }

  /// Replaces the file at `destination` by one with these `bytes`.
  ///
  /// - Parameter acceptsDevice: As of ``init(_:acceptsDevice:)``.
  package static func write(
    _ bytes: [UInt8], to destination: String, acceptsDevice: Bool = false
  ) throws(StorageError) {
    var file = try PendingFile(destination, acceptsDevice: acceptsDevice)
    try file.write(bytes)
    try file.finish()
    try file.publish()
  }
}
