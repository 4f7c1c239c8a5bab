import Foundation
import Testing

/// The built program, run as a user runs it: in a folder of its own, with a time limit.
struct Program {
  /// What a run left behind.
  struct Result {
    let code: Int32
    let output: String
    let errors: String
  }

  let folder: String

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

  /// `apus` beside the tests.
  static let executable: String = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return root.appendingPathComponent(".build/debug/apus").path
  }()

  static let mpirun: String? = ["/usr/bin/mpirun", "/usr/local/bin/mpirun"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  /// Starts `apus` with `arguments`, under `mpirun` if ranks are given.
  func start(_ arguments: [String], ranks: Int? = nil) throws -> (Process, Pipe, Pipe) {
    let process = Process()
    if let ranks, let mpirun = Program.mpirun {
      process.executableURL = URL(fileURLWithPath: mpirun)
      process.arguments =
        ["--oversubscribe", "-np", "\(ranks)", Program.executable] + arguments
        + ["--oversubscribe"]
    } else {
      process.executableURL = URL(fileURLWithPath: Program.executable)
      process.arguments = arguments
    }
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    var environment = ProcessInfo.processInfo.environment
    environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    // A rank of the tests' own world must not be taken for one of the program's.
    for key in environment.keys where key.hasPrefix("OMPI_COMM") || key.hasPrefix("PMIX_") {
      environment[key] = nil
    }
    process.environment = environment
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return (process, output, errors)
  }

  /// Runs to the end; after `limit` seconds the program hangs, and the test fails.
  func run(_ arguments: [String], ranks: Int? = nil, limit: Double = 60) throws -> Result {
    let (process, output, errors) = try start(arguments, ranks: ranks)
    return Program.finish(process, output, errors, limit: limit)
  }

  static func finish(_ process: Process, _ output: Pipe, _ errors: Pipe, limit: Double = 60)
    -> Result
  {
    let watchdog = DispatchWorkItem {
      Issue.record("no end after \(limit) s: \(process.arguments ?? [])")
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
      errors: errorText)
  }
}

/// Reads standard error beside standard output, so that neither pipe fills up.
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
