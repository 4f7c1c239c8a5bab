/// The memory pool, the tape and the gradient buffer of one worker.
///
/// Used by one thread at a time, and by the threads of its team on that thread's behalf.
package final class Workspace {
  /// The memory of all tensors of this worker.
  package let pool = MemoryPool()
  var tape: [TapeEntry] = []
  var isRecording = false
  /// Variables of the bound parameters, by index in the layout.
  var parameters: [Variable] = []
  /// The flat buffer of the parameters' gradients; see `beginGradients(into:)`.
  var gradients: UnsafeMutablePointer<Float>?
  /// The arena that allocates saved tensors in the gradient buffer.
  var arena: GradientArena?
  /// The size in bytes of the smallest tensor that is allocated in the arena.
  var smallestArenaAllocation = 1 << 18
  /// The operand precision of matrix products.
  package let precision: Precision
  /// True when the bits of a row's results do not depend on the other rows, in every forward pass:
  /// products are sums over ascending k by the skinny GEMM instead of the libraries.
  ///
  /// One pass over a sequence then has the same bits as several passes over its pieces with a KV
  /// cache. Backward passes use the libraries.
  package let isBatchInvariant: Bool
  /// The profiling timeline of this worker, or nil.
  package var timeline: Timeline?
  /// The record of the modules' outputs, or nil.
  package var trace: Trace?
  /// FLOPs of all matrix products so far, those of attention included.
  package internal(set) var flops = 0.0
  /// FLOPs of products since the last span.
  var productOperations = 0.0
  /// The threads that share this worker's work; nil for the calling thread alone.
  let team: (any Team)?
  /// The prepared bf16 products of each thread of the team; empty in fp32 precision.
  let bf16Products: [BF16Products]

  /// Creates an empty workspace.
  ///
  /// - Parameters:
  ///   - precision: The operand precision of matrix products.
  ///   - team: The threads that share the work; nil for the calling thread alone.
  ///   - isBatchInvariant: True to make the bits of a row independent of the other rows.
  package init(
    precision: Precision = .fp32, team: (any Team)? = nil, isBatchInvariant: Bool = false
  ) {
    self.precision = precision
    self.isBatchInvariant = isBatchInvariant
    self.team = team
    // Created here, because all threads of the team may take part in the first product.
    bf16Products =
      precision == .bf16 ? (0..<(team?.size ?? 1)).map { _ in BF16Products() } : []
  }

  func allocate(count: Int) -> Storage {
    Storage(bytes: count * MemoryLayout<Float>.stride, in: self)
  }

  /// Allocates memory for a tensor: in the gradient arena while recording when there is room,
  /// otherwise in the pool.
  func storage(bytes: Int) -> Storage {
    if isRecording, bytes >= smallestArenaAllocation, let arena,
      let storage = Storage(bytes: bytes, from: arena, in: self)
    {
      return storage
    }
    return Storage(bytes: bytes, in: self)
  }

  /// Runs `body` and records its operations on the tape, for a following `backward(from:)`.
  package func recording<R>(_ body: () throws -> R) rethrows -> R {
    let before = isRecording
    isRecording = true
    defer { isRecording = before }
    return try body()
  }

  /// Runs `body` without recording its operations.
  package func withoutRecording<R>(_ body: () throws -> R) rethrows -> R {
    let before = isRecording
    isRecording = false
    defer { isRecording = before }
    return try body()
  }

  /// Calls `body` with uninitialized memory for `count` bf16 numbers from the pool.
  func withBF16Scratch<R>(_ count: Int, _ body: (UnsafeMutablePointer<UInt16>) -> R) -> R {
    let scratch = Storage(bytes: count * MemoryLayout<UInt16>.stride, in: self)
    return withExtendedLifetime(scratch) {
      body(scratch.base.assumingMemoryBound(to: UInt16.self))
    }
  }

  /// Calls `body` with uninitialized memory for `count` fp32 numbers from the pool.
  func withScratch<R>(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> R) -> R {
    let scratch = allocate(count: count)
    return withExtendedLifetime(scratch) { body(scratch.floats) }
  }
}
