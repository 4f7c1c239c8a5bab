/// What one worker computes with: its memory pool, its tape, and the buffer its parameters'
/// gradients go to.
///
/// Never shared between threads at the same time; the threads of its team work for it.
public final class Workspace {
  /// Memory of all tensors of this worker.
  public let pool = MemoryPool()
  var tape: [TapeEntry] = []
  var isRecording = false
  /// Variables of the bound parameters, by index in the layout.
  var parameters: [Variable] = []
  /// Where parameters' gradients are written; see `beginGradients(into:)`.
  var gradients: UnsafeMutablePointer<Float>?
  /// The same memory, while it waits for them.
  var loan: GradientLoan?
  /// Bytes of the smallest tensor that is worth looking for room there.
  var leastLoan = 1 << 18
  /// What products read; see `Precision`.
  public let precision: Precision
  /// Whether the results of a row have the same bits whatever rows stand beside it, in every forward
  /// pass: products are sums over ascending k, by kernels of our own in place of the library's.
  ///
  /// One pass over a sequence then says what passes over its pieces say, with a cache between them.
  /// Backward passes stay with the library.
  public let isBatchInvariant: Bool
  /// Where what this worker does is told; nil for nobody.
  public var timeline: Timeline?
  /// Operations of products since the last span.
  var productOperations = 0.0
  /// Threads that share this worker's work; nil for the worker alone.
  let team: (any Team)?
  /// bf16 products that each thread of the team has prepared.
  let halfProducts: [HalfProducts]

  /// An empty workspace.
  ///
  /// - Parameters:
  ///   - precision: What products read.
  ///   - team: Threads that share the work, nil for the calling thread alone.
  ///   - isBatchInvariant: See the property.
  public init(
    precision: Precision = .fp32, team: (any Team)? = nil, isBatchInvariant: Bool = false
  ) {
    self.precision = precision
    self.isBatchInvariant = isBatchInvariant
    self.team = team
    // Made here: the first product may already be shared by all threads of the team.
    halfProducts =
      precision == .bf16 ? (0..<(team?.size ?? 1)).map { _ in HalfProducts() } : []
  }

  func allocate(count: Int) -> Storage {
    Storage(bytes: count * MemoryLayout<Float>.stride, in: self)
  }

  /// Memory for a tensor: of the gradient, if the tape may be going to keep it and there is room.
  func storage(bytes: Int) -> Storage {
    if isRecording, bytes >= leastLoan, let loan,
      let storage = Storage(bytes: bytes, from: loan, in: self)
    {
      return storage
    }
    return Storage(bytes: bytes, in: self)
  }

  /// Runs `body` with operations recorded on the tape, so that `backward(from:)` can follow.
  public func recording<R>(_ body: () throws -> R) rethrows -> R {
    let before = isRecording
    isRecording = true
    defer { isRecording = before }
    return try body()
  }

  /// Undefined memory for bf16 numbers for the length of `body`, from the pool.
  func withHalfScratch<R>(_ count: Int, _ body: (UnsafeMutablePointer<UInt16>) -> R) -> R {
    let scratch = Storage(bytes: count * MemoryLayout<UInt16>.stride, in: self)
    return withExtendedLifetime(scratch) {
      body(scratch.base.assumingMemoryBound(to: UInt16.self))
    }
  }

  /// Undefined memory for the length of `body`, from the pool.
  func withScratch<R>(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> R) -> R {
    let scratch = allocate(count: count)
    return withExtendedLifetime(scratch) { body(scratch.floats) }
  }
}
