import Files

/// The paths of sources, in the form in which they are recorded and sorted.
enum FilePaths {
  /// Returns the path of `name` in `folder`, without `.` components and doubled slashes; an absolute
  /// `name` is returned without `folder`.
  static func join(_ folder: String, _ name: String) -> String {
    let path = name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
    let parts = path.split(separator: "/").filter { $0 != "." }
    let joined = parts.joined(separator: "/")
    if path.hasPrefix("/") { return "/" + joined }
    return joined.isEmpty ? "." : joined
  }

  /// Returns the names in `folder` that do not begin with a dot, sorted by their bytes.
  static func names(in folder: String) throws(DatasetError) -> [String] {
    let entries: [[UInt8]]
    do {
      entries = try FileSystem.entries(in: folder)
    } catch .call("open the folder", _, let code) {
      throw .unreadable(path: folder, code: code)
    } catch {
      throw .storage(error)
    }
    var names: [String] = []
    for entry in entries {
      guard let name = String(validating: entry, as: UTF8.self) else {
        throw .nameNotUTF8(folder: folder)
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names
  }

  /// Returns true when the UTF-8 bytes of `a` precede those of `b`; unlike `<`, the order is the same
  /// in every version of Unicode.
  static func precedes(_ a: String, _ b: String) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
  }
}
