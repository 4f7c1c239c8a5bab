import DataParallel
import Files
import Glibc

/// The thread that writes checkpoints, which a run can leave behind when its file system hangs.
///
/// A call of the system that hangs, as on a network file system whose server is away, cannot be
/// ended. The thread in it is left to itself, and the next save gets another one.
final class SaveWriter {
  /// The part of a save that a thread does.
  enum Part {
    /// Writes bytes, or removes files: a second without any progress is unusual.
    case copying
    /// Makes files durable, or publishes: a disk may take minutes, and reports nothing meanwhile.
    case syncing
  }

  /// Seconds in which `copying` must write a byte, and `syncing` twenty times as many; 0 for no
  /// limit.
  private let limit: Double
  /// The run folder, for sentences.
  private let path: String
  private var pool: WorkerPool
  private var part = Part.copying
  /// The bytes written so far, and when this was first seen.
  private var seen = (bytes: 0, at: ContinuousClock.now)

  init(limit: Double, path: String) throws(WorkerPool.ThreadStartFailure) {
    (self.limit, self.path) = (limit, path)
    pool = try WorkerPool(count: 1)
  }

  deinit {
    if pool.isIdle { pool.stop() } else { pool.leave() }
  }

  /// True when no body runs, so that `wait` returns at once.
  var isIdle: Bool { pool.isIdle }

  /// Starts `body` and returns at once; the thread must be idle.
  func start(_ part: Part, _ body: @escaping @Sendable () throws -> Void) {
    self.part = part
    seen = (DurableFile.bytesWritten, .now)
    pool.start { _ in try body() }
  }

  /// The seconds since the body wrote a byte, when they exceed its limit; nil otherwise.
  ///
  /// Call it now and then while the body runs: a byte counts from the call that sees it.
  var hangsFor: Double? {
    let bytes = DurableFile.bytesWritten
    if bytes != seen.bytes || pool.isIdle { seen = (bytes, .now) }
    let silence = (ContinuousClock.now - seen.at) / .seconds(1)
    return limit > 0 && silence >= limit * (part == .syncing ? 20 : 1) ? silence : nil
  }

  /// Waits until the body has returned, and throws its error.
  ///
  /// - Throws: `StorageError.hangs` when it hangs; the thread is left to itself then.
  func wait() throws {
    try awaitIdle()
    try pool.wait()
  }

  /// Waits until the body has returned, whatever its error.
  ///
  /// - Throws: As `wait`, when it hangs.
  func awaitIdle() throws {
    while !pool.isIdle {
      try leaveIfHung()
      usleep(1000)
    }
  }

  /// Leaves the thread to itself when its body hangs, and throws `StorageError.hangs` then.
  func leaveIfHung() throws {
    guard let silence = hangsFor else { return }
    let next = try WorkerPool(count: 1)
    pool.leave()
    pool = next
    throw StorageError.hangs(path: path, seconds: Int(silence))
  }
}
