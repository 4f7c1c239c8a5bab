import ArgumentParser
import Glibc

/// Standard output: where a command's results go, every byte or an error.
enum StandardOutput {
  /// The output took no more; exit code 5.
  struct Failure: Error, CustomStringConvertible {
    /// `errno`.
    let code: Int32

    /// One sentence: what, where, why, what to do.
    var description: String {
      "cannot write to standard output: \(String(cString: strerror(code))); free some space there "
        + "or send it elsewhere"
    }
  }

  /// Keeps the numbers of the standard streams taken, with streams that refuse all use: where the
  /// shell has closed one, the next file opened would get its number, and our words.
  static func holdStreams() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
    where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number is given, which is this one.
      _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  /// Writes `text` and the end of the line.
  static func print(_ text: String, terminator: String = "\n") throws {
    try write((text + terminator).utf8)
  }

  /// Writes all of `bytes`.
  ///
  /// - Throws: ``Failure``; or, when the reader has gone away and the signal for it is ignored, the
  ///   exit code of a program that the signal ended, with nothing said.
  static func write(_ bytes: some Sequence<UInt8>) throws {
    let bytes = Array(bytes)
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(STDOUT_FILENO, $0.baseAddress?.advanced(by: done), $0.count - done)
      }
      if count >= 0 {
        done += count
      } else if errno == EPIPE {
        throw ExitCode(128 + SIGPIPE)
      } else if errno != EINTR {
        throw Failure(code: errno)
      }
    }
  }
}
