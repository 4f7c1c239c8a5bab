import Foundation
import Glibc
import Testing

/// The built program in a folder of its own, run with a time limit.
struct Program {
  /// The exit code and the output of a run.
  struct Result {
    let code: Int32
    let output: String
    let errors: String
  }

  let folder: String
  /// The folder of the program's cached measurements, shared by all tests so that it measures once.
  var cache = sharedCache
  /// Variables beside those of the test process.
  var environment: [String: String] = [:]

  private static let sharedCache: String = {
    atexit { try? FileManager.default.removeItem(atPath: Program.sharedCache) }
    return NSTemporaryDirectory() + "apus-tests-cache-\(UUID().uuidString)"
  }()

  init() throws {
    folder = NSTemporaryDirectory() + "apus-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  func remove() {
    try? FileManager.default.removeItem(atPath: folder)
  }

  func write(_ text: String, to name: String) throws {
    try write(Data(text.utf8), to: name)
  }

  func write(_ data: Data, to name: String) throws {
    let path = "\(folder)/\(name)"
    let parent = (path as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
    try data.write(to: URL(fileURLWithPath: path))
  }

  func read(_ name: String) -> Data? { FileManager.default.contents(atPath: "\(folder)/\(name)") }

  func names(in name: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(name)")) ?? []).sorted()
  }

  /// The bytes of every file by its path; a folder has empty data.
  func contents() throws -> [String: Data] {
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder)
    return Dictionary(uniqueKeysWithValues: paths.map { ($0, read($0) ?? Data()) })
  }

  /// The path of `apus`, which is in the same folder as the tests' executable.
  static let executable: String = {
    let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    return tests.deletingLastPathComponent().appendingPathComponent("apus").path
  }()

  static let mpirun: String? = {
    let path = ["/usr/bin/mpirun", "/usr/local/bin/mpirun"].first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
    if path == nil { print("SKIPPED: no test under mpirun, because it is missing: make setup") }
    return path
  }()

  /// A rank of an `mpirun` that starts every rank differently.
  struct Rank {
    var arguments: [String]
    /// The working folder, relative to the program's folder.
    var place = ""
    var executable = Program.executable
    var threads = 1
  }

  /// Starts `apus` with `arguments`, under `mpirun` if `ranks` is not nil.
  func start(_ arguments: [String], ranks: Int? = nil) throws -> (Process, Pipe, Pipe) {
    guard let ranks, let mpirun = Program.mpirun else {
      return try start(Program.executable, arguments)
    }
    return try start(
      mpirun,
      ["--oversubscribe", "-np", "\(ranks)", Program.executable] + arguments + ["--oversubscribe"])
  }

  /// Starts ranks with different arguments under `mpirun`.
  func start(each ranks: [Rank]) throws -> (Process, Pipe, Pipe) {
    let mpirun = try #require(Program.mpirun)
    let parts = ranks.map { rank in
      ["-np", "1", "-wdir", "\(folder)/\(rank.place)", rank.executable] + rank.arguments
        + ["--threads", "\(rank.threads)", "--oversubscribe"]
    }
    return try start(mpirun, ["--oversubscribe"] + parts.joined(separator: [":"]))
  }

  /// Starts any program in the folder; without `input` its standard input is empty.
  func start(
    _ executable: String, _ arguments: [String], input: Pipe? = nil
  ) throws -> (Process, Pipe, Pipe) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    var environment = ProcessInfo.processInfo.environment
    // MPI's variables of the test process must not reach the program.
    for key in environment.keys
    where ["OMPI_", "PMIX_", "ORTE_", "PMI_", "MPI_LOCAL", "HYD"].contains(where: key.hasPrefix) {
      environment[key] = nil
    }
    environment.merge(self.environment) { $1 }
    environment["XDG_CACHE_HOME"] = cache
    environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    process.environment = environment
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    if let input {
      process.standardInput = input
    } else {
      process.standardInput = FileHandle.nullDevice
    }
    // The threads of Swift's concurrency block signals, and mpirun would inherit that.
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try process.run()
    return (process, output, errors)
  }

  /// Runs `apus` to its end; after `limit` seconds it is killed and the test fails.
  func run(_ arguments: [String], ranks: Int? = nil, limit: Double = 60) throws -> Result {
    let (process, output, errors) = try start(arguments, ranks: ranks)
    return Program.finish(process, output, errors, limit: limit)
  }

  /// Runs ranks with different arguments to their end.
  func run(each ranks: [Rank], limit: Double = 60) throws -> Result {
    let (process, output, errors) = try start(each: ranks)
    return Program.finish(process, output, errors, limit: limit)
  }

  /// Returns when `condition` holds or `process` has ended; fails the test after `limit` seconds.
  static func wait(
    for process: Process, limit: Double = 60, until condition: () -> Bool
  ) {
    let end = ContinuousClock.now + .seconds(limit)
    while process.isRunning && !condition() {
      guard ContinuousClock.now < end else {
        Issue.record("nothing happened for \(limit) s: \(process.arguments ?? [])")
        return
      }
      usleep(5000)
    }
  }

  /// The processes that `process` started: the ranks of an `mpirun`.
  static func children(of process: Process) -> [Int32] { children(of: process.processIdentifier) }

  /// The processes that `parent` started.
  static func children(of parent: Int32) -> [Int32] {
    let path = "/proc/\(parent)/task/\(parent)/children"
    return ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "")
      .split(separator: " ").compactMap { Int32($0) }
  }

  static func finish(_ process: Process, _ output: Pipe, _ errors: Pipe, limit: Double = 60)
    -> Result
  {
    let watchdog = DispatchWorkItem {
      Issue.record("no end after \(limit) s: \(process.arguments ?? [])")
      // mpirun ends its ranks at SIGTERM; SIGKILL would leave them running.
      kill(process.processIdentifier, SIGTERM)
      usleep(3_000_000)
      kill(process.processIdentifier, SIGKILL)
    }
    DispatchQueue.global().asyncAfter(deadline: .now() + limit, execute: watchdog)
    let errorData = ErrorReader(errors)
    let outputData = output.fileHandleForReading.readDataToEndOfFile()
    let errorText = errorData.text()
    process.waitUntilExit()
    watchdog.cancel()
    return Result(
      code: process.terminationStatus, output: String(decoding: outputData, as: UTF8.self),
      // Long lines of events are wrapped.
      errors: errorText.replacing("\n    ", with: " "))
  }
}

/// Reads standard error concurrently with standard output, so that neither pipe fills up.
private final class ErrorReader: @unchecked Sendable {
  // Sendable: the group orders the write before the read.
  private var data = Data()
  private let group = DispatchGroup()

  init(_ pipe: Pipe) {
    group.enter()
    DispatchQueue.global().async { [self] in
      data = pipe.fileHandleForReading.readDataToEndOfFile()
      group.leave()
    }
  }

  func text() -> String {
    group.wait()
    return String(decoding: data, as: UTF8.self)
  }
}
