/// A Python program in `Peers` that does the same work.
struct Peer: Sendable {
  /// The file name in `Peers`, without `.py`.
  let script: String
  /// The Python package that it measures.
  let package: String
  var ranks = 1
  let arguments: [String]

  /// The command and its arguments.
  func command(python: String) -> [String] {
    let file = Settings.packageFile("Sources/Benchmarks/Peers/\(script).py")
    let launcher =
      ranks == 1 ? [] : ["-m", "torch.distributed.run", "--nproc_per_node", "\(ranks)"]
    return [python] + launcher + [file] + arguments
  }

  /// The versions of the installed ones of `packages`, by name.
  static func versions(of packages: Set<String>, python: String) throws -> [String: String] {
    let program = """
      import importlib.metadata as m
      for name in "\(packages.sorted().joined(separator: " "))".split():
          try: print(name, m.version(name))
          except m.PackageNotFoundError: pass
      """
    let text: String
    do {
      text = try ChildProcess.output(of: [python, "-c", program], errors: "/dev/null")
    } catch {
      throw Refusal(
        "PYTHON is \(python), which does not run as Python 3.8 or newer: give one that does, or "
          + "leave it out to run without peers.")
    }
    let pairs = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    return Dictionary(
      pairs.filter { $0.count == 2 }.map { ($0[0], $0[1]) }, uniquingKeysWith: { $1 })
  }
}
