import Glibc

/// The terminal on standard output or standard error.
package enum Terminal {
  /// Returns true when `descriptor` is a terminal with colours and lines that can be rewritten.
  package static func isLive(_ descriptor: Int32) -> Bool {
    isLive(isTerminal: isatty(descriptor) == 1, term: variable("TERM"))
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
