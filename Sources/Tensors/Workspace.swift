/// What one worker computes with: its memory pool, its tape, and the buffer its parameters'
/// gradients go to.
///
/// Never shared between threads at the same time.
public final class Workspace {
  /// Memory of all tensors of this worker.
  public let pool = MemoryPool()
  var tape: [TapeEntry] = []
  var isRecording = false
  /// Variables of the bound parameters, by index in the layout.
  var parameters: [Variable] = []
  /// Where parameters' gradients are written; see `beginGradients(into:)`.
  var gradients: UnsafeMutablePointer<Float>?

  /// An empty workspace.
  public init() {}

  func allocate(count: Int) -> Storage {
    Storage(count: count, in: self)
  }

  /// Runs `body` with operations recorded on the tape, so that `backward(from:)` can follow.
  public func recording<R>(_ body: () throws -> R) rethrows -> R {
    let before = isRecording
    isRecording = true
    defer { isRecording = before }
    return try body()
  }

  /// Undefined memory for the length of `body`, from the pool.
  func withScratch<R>(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> R) -> R {
    let scratch = allocate(count: count)
    return withExtendedLifetime(scratch) { body(scratch.pointer) }
  }
}
