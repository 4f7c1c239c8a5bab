import Foundation

extension Hosts {
  /// The time that a discovery script may take, in seconds.
  static let discoverySeconds = 30

  /// The hosts that a discovery script prints, in lines of a hostfile or of the form `host:slots`.
  ///
  /// The script is asked before every start, and its answer may change.
  ///
  /// - Parameter ranks: The ranks of every host, in place of its slots; nil when each must have slots.
  package init(discoveredBy script: String, ranks: Int? = nil) throws(HostsError) {
    let output: String
    do {
      output = try Self.output(of: script)
    } catch let error as HostsError {
      throw error
    } catch {
      throw .discovery(script: script, reason: error.localizedDescription)
    }
    try self.init(lines: output, of: "the output of \(script)", ranks: ranks)
  }

  private static func output(of script: String) throws -> String {
    let process = Process()
    // A name without a slash is looked up in PATH, as the shell does.
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [script]
    process.standardInput = FileHandle.nullDevice
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let limit = DispatchWorkItem { kill(process.processIdentifier, SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(discoverySeconds), execute: limit)
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    limit.cancel()
    guard process.terminationReason == .exit else {
      throw HostsError.discovery(
        script: script, reason: "signal \(process.terminationStatus) ended it")
    }
    guard process.terminationStatus == 0 else {
      throw HostsError.discovery(
        script: script, reason: "it exited with code \(process.terminationStatus)")
    }
    return String(decoding: data, as: UTF8.self)
  }
}
