import Glibc

/// The terminal on standard error.
enum Terminal {
  /// True when standard error is a terminal that can rewrite a line in place.
  static var isLive: Bool {
    isLive(isTerminal: isatty(STDERR_FILENO) == 1, term: variable("TERM"))
  }

  static func isLive(isTerminal: Bool, term: String?) -> Bool {
    isTerminal && term != nil && term != "" && term != "dumb"
  }

  /// True when colours are allowed: `NO_COLOR` is unset or empty (https://no-color.org).
  static var hasColour: Bool { (variable("NO_COLOR") ?? "").isEmpty }

  /// The current width in columns, since windows can be resized; 80 if unknown.
  static func columns() -> Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
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
