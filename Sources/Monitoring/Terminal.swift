import Glibc

/// What standard error is connected to.
enum Terminal {
  /// Whether a line there can be rewritten in place.
  static var isLive: Bool {
    isLive(isTerminal: isatty(STDERR_FILENO) == 1, term: variable("TERM"))
  }

  static func isLive(isTerminal: Bool, term: String?) -> Bool {
    isTerminal && term != nil && term != "" && term != "dumb"
  }

  /// Whether colours are wanted there (https://no-color.org: any value but the empty one forbids).
  static var hasColour: Bool { (variable("NO_COLOR") ?? "").isEmpty }

  /// The width in columns, asked anew each time, since windows change; 80 where nobody knows.
  static func columns() -> Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Writes to standard error; a reader that went away is no reason to end a run.
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
