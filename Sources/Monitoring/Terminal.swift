import Foundation
import Glibc

/// The terminal on standard output or standard error.
package enum Terminal {
  /// Returns true when the terminal `descriptor` has colours and lines that can be rewritten.
  package static func isLive(_ descriptor: Int32) -> Bool {
    isLive(isTerminal: isatty(descriptor) == 1, term: variable("TERM"))
  }

  /// The terminal on which standard output appears; nil without one.
  package static let ofStandardOutput = of(STDOUT_FILENO)

  /// The terminal on which standard error appears; nil without one.
  package static let ofStandardError = of(STDERR_FILENO)

  /// Returns the descriptor of the terminal on which the standard stream `stream` appears; nil without
  /// one.
  ///
  /// Under `mpirun` standard error is a pipe and standard output a pseudo-terminal to `mpirun`, which
  /// copies them to its own streams: that terminal is opened, for its width only. A rank on another
  /// host has no such parent. With `--tag-output` and the like `mpirun` writes into the lines, which
  /// cannot be rewritten then.
  private static func of(_ stream: Int32) -> Int32? {
    guard variable("OMPI_COMM_WORLD_RANK") != nil else { return isatty(stream) == 1 ? stream : nil }
    guard !marksLines(variable) else { return nil }
    // `apus launch` reads the standard error of mpirun, and copies it to its own.
    return [variable("APUS_LAUNCHER"), "\(getppid())"].lazy.compactMap { $0 }.compactMap {
      terminal(at: "/proc/\($0)/fd/\(stream)", ofProgram: "/proc/\($0)/comm")
    }.first
  }

  /// True when Open MPI marks every line of output, by its parameters in the environment `variable`.
  static func marksLines(_ variable: (String) -> String?) -> Bool {
    ["tag_output", "timestamp_output", "xml_output"].contains {
      // mpirun passes its options and those of the user's files on to the ranks in these variables.
      let value = variable("OMPI_MCA_orte_\($0)") ?? ""
      return !["", "0", "false", "no", "disabled"].contains(value.lowercased())
    }
  }

  /// Opens `path` if it is a terminal and `name` has the name of a launcher.
  static func terminal(at path: String, ofProgram name: String) -> Int32? {
    guard let comm = try? String(contentsOfFile: name, encoding: .utf8),
      ["mpirun", "mpiexec", "orterun", "prterun", "apus"].contains(comm.filter { !$0.isNewline })
    else { return nil }
    var status = stat()
    // A pipe would be opened as a second reader.
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFCHR else { return nil }
    let descriptor = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    if isatty(descriptor) == 1 { return descriptor }
    close(descriptor)
    return nil
  }

  static func isLive(isTerminal: Bool, term: String?) -> Bool {
    isTerminal && term != nil && term != "" && term != "dumb"
  }

  /// True when colours are allowed: `NO_COLOR` is unset or empty (https://no-color.org).
  package static var hasColour: Bool { (variable("NO_COLOR") ?? "").isEmpty }

  /// The current width in columns, since windows can be resized; 80 if unknown.
  package static func columns(of descriptor: Int32) -> Int {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Writes to standard error; ignores errors, since a closed reader must not end a run.
  static func write(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      var written = 0
      while written < bytes.count {
        let rest = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[written...])
        let count = Glibc.write(STDERR_FILENO, rest.baseAddress, rest.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        written += count
      }
    }
  }

  private static func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }
}
