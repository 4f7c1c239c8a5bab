import Files
import Glibc

/// The environment of a run, for its environment.json.
///
/// The fields have a fixed order and contain no time, so that equal environments give equal bytes.
package struct RunEnvironment: Sendable {
  /// The members of the JSON object, in order.
  package private(set) var fields: [(key: String, value: JSONValue)]

  /// The environment of this process: the arguments, with CPU, system and memory.
  ///
  /// The commit is that of the git folder around the executable or, if there is none, around the
  /// working folder.
  ///
  /// - Parameters:
  ///   - versions: Names and versions of programs and libraries.
  ///   - hosts: The host name of each rank.
  ///   - fields: Further members, such as the kernels in use.
  package init(
    versions: KeyValuePairs<String, String>, hosts: [String], ranks: Int, threads: Int,
    fields: KeyValuePairs<String, JSONValue> = [:]
  ) {
    self.init(
      versions: versions, commit: GitCommit.ofThisProcess(), hosts: hosts, ranks: ranks,
      threads: threads, fields: fields,
      processor: Processor(cpuinfo: TextFile.contents("/proc/cpuinfo") ?? ""),
      system: Self.system(), memoryBytes: Self.physicalMemory())
  }

  init(
    versions: KeyValuePairs<String, String>, commit: String?, hosts: [String], ranks: Int,
    threads: Int, fields: KeyValuePairs<String, JSONValue>, processor: Processor, system: String,
    memoryBytes: Int
  ) {
    self.fields =
      [("versions", .object(versions.map { ($0.key, .string($0.value)) }))]
      + (commit.map { [("commit", .string($0))] } ?? [])
      + [
        ("hosts", .array(hosts.map { .string($0) })),
        ("ranks", .integer(ranks)),
        ("threads", .integer(threads)),
        ("cpu", .string(processor.model)),
        ("cpuCores", .integer(processor.cores)),
        ("cpuFeatures", .array(processor.features.map { .string($0) })),
        ("memoryBytes", .integer(memoryBytes)),
        ("system", .string(system)),
      ] + fields.map { ($0.key, $0.value) }
  }

  /// The name of the processor, or "unknown".
  package static var processor: String {
    Processor(cpuinfo: TextFile.contents("/proc/cpuinfo") ?? "").model
  }

  /// Writes the file at `path`, whole or not at all.
  package func write(to path: String) throws(MonitoringError) {
    try MonitoringError.wrapping { () throws(StorageError) in
      try PendingFile.write(JSONValue.object(fields).indented + [0x0A], to: path)
    }
  }

  /// Name, release and architecture of the kernel.
  private static func system() -> String {
    var name = utsname()
    guard uname(&name) == 0 else { return "unknown" }
    func text<Field>(_ field: Field) -> String {
      withUnsafeBytes(of: field) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
    }
    return "\(text(name.sysname)) \(text(name.release)) \(text(name.machine))"
  }

  private static func physicalMemory() -> Int {
    max(0, sysconf(Int32(_SC_PHYS_PAGES))) * max(0, sysconf(Int32(_SC_PAGESIZE)))
  }
}

/// The processor, from /proc/cpuinfo.
struct Processor: Sendable, Equatable {
  /// The model name, or "unknown".
  var model = "unknown"
  /// Number of logical cores.
  var cores = 0
  /// The features that matter for the choice of compute kernels, in the order of `relevant`.
  var features: [String] = []

  private static let relevant = [
    "avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16",
    // Arm.
    "asimd", "sve", "bf16", "i8mm",
  ]

  init(cpuinfo: String) {
    for line in cpuinfo.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let key = line[..<colon].split(whereSeparator: \.isWhitespace).joined(separator: " ")
      let words = line[line.index(after: colon)...].split(whereSeparator: \.isWhitespace)
      switch key {
      case "processor": cores += 1
      case "model name" where model == "unknown": model = words.joined(separator: " ")
      case "flags" where features.isEmpty, "Features" where features.isEmpty:
        features = Self.relevant.filter { feature in words.contains { $0 == feature } }
      default: break
      }
    }
  }
}
