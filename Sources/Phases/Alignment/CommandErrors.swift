import Files
import Glibc
import Processes

/// The standard error of a user's command, which is shown on that of this process while the command
/// runs: without control characters, and only its beginning.
///
/// The rest is read too, so that the command does not wait for a reader.
struct CommandErrors {
  /// The most bytes that are shown.
  private static let mostShown = 1 << 20

  private let pipe: ClosingPipe
  private var shown = 0
  /// The beginning of a character whose other bytes are not read yet.
  private var unfinished: [UInt8] = []
  private var isAtEnd = false

  /// Makes a reader of `pipe`, which only commands write to.
  init(_ pipe: ClosingPipe) {
    self.pipe = pipe
    _ = fcntl(pipe.reading, F_SETFL, O_NONBLOCK)
  }

  /// Shows what the command has written, after waiting for it at most `milliseconds`.
  ///
  /// - Returns: False when there was nothing.
  @discardableResult
  mutating func show(waiting milliseconds: Int32) -> Bool {
    var ready = pollfd(fd: isAtEnd ? -1 : pipe.reading, events: Int16(POLLIN), revents: 0)
    guard poll(&ready, 1, milliseconds) > 0 else { return false }
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    let count = read(pipe.reading, &chunk, chunk.count)
    if count == 0 { isAtEnd = true }
    if count > 0 { show(chunk[..<count]) }
    return count > 0
  }

  /// Shows the rest, after all processes of the command have ended.
  mutating func finish() {
    while show(waiting: 0) {}
    write(unfinished)
  }

  private mutating func show(_ bytes: ArraySlice<UInt8>) {
    guard shown <= Self.mostShown else { return }
    var text = unfinished + bytes.prefix(Self.mostShown - shown)
    shown += bytes.count
    let start = text.suffix(3).lastIndex { $0 >= 0xC0 }
    let end = start.flatMap { text.count - $0 < Self.length(from: text[$0]) ? $0 : nil }
    unfinished = Array(text[(end ?? text.endIndex)...])
    text.removeSubrange((end ?? text.endIndex)...)
    write(text)
    guard shown > Self.mostShown else { return }
    unfinished = []
    let note =
      "\napus: the reward command wrote more than \(Self.mostShown >> 20) MiB to standard error; "
      + "the rest of this call is not shown.\n"
    write(Array(note.utf8))
  }

  /// The number of bytes of the UTF-8 character that begins with `byte`.
  private static func length(from byte: UInt8) -> Int {
    byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
  }

  /// Writes `bytes` to standard error, as far as it takes them.
  private func write(_ bytes: [UInt8]) {
    var text = String(decoding: bytes, as: UTF8.self).visible(keepsLines: true)
    text.withUTF8 { text in
      var rest = UnsafeBufferPointer(rebasing: text[...])
      while !rest.isEmpty {
        let count = Glibc.write(STDERR_FILENO, rest.baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return }
        rest = UnsafeBufferPointer(rebasing: rest[count...])
      }
    }
  }
}
