import Glibc

extension FileSystem {
  /// Returns the bytes that this user may still write to the file system where `path` is or would be
  /// created; `Int.max` where the file system does not count them.
  package static func freeBytes(at path: String) throws(StorageError) -> Int {
    var status = statvfs()
    var path = path
    while try !exists(path) {
      guard let slash = path.lastIndex(of: "/") else {
        path = "."
        break
      }
      path = slash == path.startIndex ? "/" : String(path[..<slash])
    }
    try call("read the free space of", path) { statvfs(path, &status) }
    // A file system that reports 0 blocks does not count its blocks.
    if status.f_blocks == 0 { return .max }
    let (free, overflow) = UInt64(status.f_bavail)
      .multipliedReportingOverflow(by: UInt64(status.f_frsize))
    return overflow ? .max : Int(clamping: free)
  }
}
