import ArgumentParser
import Files
import Foundation
import Monitoring

/// Standard output, for the results of commands: every byte is written, or an error thrown.
enum StandardOutput {
  /// A failed write to standard output; exit code 5.
  struct Failure: Error, CustomStringConvertible {
    /// `errno`.
    let code: Int32

    /// One sentence: what, where, why, what to do.
    var description: String {
      "cannot write to standard output: \(StorageError.reason(code)); free some space there "
        + "or send it elsewhere"
    }
  }

  /// Opens /dev/null, in a mode that fails on use, for every standard stream that the shell has
  /// closed: otherwise the next file opened would get its descriptor, and our output.
  static func reserveStreams() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
    where fcntl(descriptor, F_GETFD) < 0 {
      // `open` returns the lowest free descriptor, which is this one.
      _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  /// Writes `text`, which is for people, and a line feed; controls of terminals are made visible.
  static func print(_ text: String) throws {
    try print(visible: text.visible(keepsLines: true))
  }

  /// Writes `text`, in which others' text is visible already, and a line feed.
  static func print(visible text: String) throws {
    try send(Array((text + "\n").utf8))
  }

  /// Writes `value` as JSON on one line, with sorted keys.
  static func print(json value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try write(try encoder.encode(value) + "\n".utf8)
  }

  /// Writes all of `bytes`, UTF-8 text in whole characters, for people and programs: a terminal
  /// gets it with visible controls, anything else as it is.
  static func write(_ bytes: some Sequence<UInt8>) throws {
    let bytes = Array(bytes)
    guard Terminal.ofStandardOutput != nil else { return try send(bytes) }
    try send(Array(String(decoding: bytes, as: UTF8.self).visible(keepsLines: true).utf8))
  }

  /// Writes all of `bytes`.
  ///
  /// - Throws: ``Failure``; or, if the reader has closed its end while SIGPIPE is ignored, the exit
  ///   code of a program ended by SIGPIPE, without a message.
  private static func send(_ bytes: [UInt8]) throws {
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
