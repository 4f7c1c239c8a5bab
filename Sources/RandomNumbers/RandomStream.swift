/// What a random number is for: two purposes never share numbers, whatever their coordinates.
public enum RandomPurpose: UInt32, Sendable {
  /// First values of a model's parameters; coordinate: index of the parameter.
  case initialization = 1
  /// Dropout masks; coordinates: step, micro-batch, site.
  case dropout = 2
  /// Order of the training windows; word by epoch.
  case dataOrder = 3
  /// Choice of the next token; coordinates: step, sequence.
  case sampling = 4
  /// The written world of the embedded corpus; coordinate: index of the story.
  case aviary = 5
  /// Targets of masked-token training; coordinates: step, micro-batch.
  case masking = 7
  /// Inputs of benchmarks and tests.
  case trial = 6
  /// Spans that are taken out of a text; coordinates: step, micro-batch, row, or in evaluations the
  /// number of the window.
  case corruption = 9
  /// Order and sides of the pairs shown to annotators; coordinates: annotator, pair.
  case annotation = 10
  /// Examples drawn anew for a confidence interval; coordinate: number of the resample.
  case bootstrap = 11
  /// Rows of training that are replayed from another corpus; coordinate: step.
  case replay = 12
  /// Vectors of tokens that a vocabulary is extended by; coordinate: token.
  case newTokens = 13
}

/// The numbers of one purpose at one place: a key made of (seed, purpose, coordinates), and an
/// unlimited sequence of words under it.
///
/// Any word can be had directly by its index, so threads may draw from one stream in any order.
public struct RandomStream: Sendable, Hashable {
  /// The generator under this stream's key; kernels that draw many words at once use it.
  public let philox: Philox

  /// The stream of `purpose` at `coordinates` under `seed`.
  ///
  /// The key is a chain of Philox evaluations over the coordinates, so that streams with different
  /// seeds, purposes or coordinates are independent.
  public init(seed: UInt64, purpose: RandomPurpose, _ coordinates: Int...) {
    var key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    var index: UInt32 = 0
    func absorb(_ value: UInt64) {
      let words = Philox(key: key)(
        SIMD4(
          UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32),
          purpose.rawValue, index))
      key = SIMD2(words.x, words.y)
      index += 1
    }
    absorb(UInt64(coordinates.count))
    for coordinate in coordinates { absorb(UInt64(bitPattern: Int64(coordinate))) }
    philox = Philox(key: key)
  }

  /// The four words of block `index`.
  public func block(_ index: UInt64) -> SIMD4<UInt32> {
    philox(
      SIMD4(UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32), 0, 0))
  }

  /// Word `index` of the stream.
  public func word(_ index: UInt64) -> UInt32 {
    block(index / 4)[Int(index % 4)]
  }

  /// Number `index` of the stream, uniform in [0, 1) with 24 random bits.
  public func uniform(_ index: UInt64) -> Float {
    Float(word(index) >> 8) * 0x1p-24
  }
}

/// A sequential reader of a stream, for code that wants Swift's `RandomNumberGenerator`.
public struct RandomSequence: RandomNumberGenerator, Sendable {
  private let stream: RandomStream
  private var position: UInt64 = 0

  /// Reads `stream` from its start.
  public init(_ stream: RandomStream) {
    self.stream = stream
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    defer { position += 1 }
    let block = stream.block(position / 2)
    return position % 2 == 0
      ? UInt64(block.x) | UInt64(block.y) << 32 : UInt64(block.z) | UInt64(block.w) << 32
  }
}
