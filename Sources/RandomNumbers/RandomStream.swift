/// The use of a random stream.
///
/// Streams of different purposes are independent, whatever their coordinates.
package enum RandomPurpose: UInt32, Sendable {
  /// Initial values of a model's parameters; coordinate: index of the parameter.
  case initialization = 1
  /// Dropout masks; coordinates: step, micro-batch, site.
  case dropout = 2
  /// Order of the training windows, one word per epoch.
  case dataOrder = 3
  /// Sampling of the next token; coordinates: step, sequence.
  case sampling = 4
  /// The stories of the Aviary; coordinate: index of the story.
  case aviary = 5
  /// Masked tokens of masked language modelling; coordinates: step, micro-batch.
  case masking = 7
  /// Inputs of benchmarks and tests.
  case probe = 6
  /// Corrupted spans of a text; coordinates: step, micro-batch, row, or in evaluations the index of
  /// the window.
  case corruption = 9
  /// Order of the pairs shown to annotators, and of the texts in a pair; coordinates: annotator,
  /// pair.
  case annotation = 10
  /// Bootstrap resamples; coordinate: index of the resample.
  case bootstrap = 11
  /// Batch rows that replay another corpus; coordinate: step.
  case replay = 12
  /// Gaussian initialisation of new token embeddings; coordinate: token.
  case newTokens = 13
  /// The first leaf of a rank that is audited; coordinate: rank.
  case audit = 14
}

/// A random stream: a key derived from (seed, purpose, coordinates), and a sequence of 2⁶⁶ 32-bit
/// words under that key.
///
/// Every word is computed directly from its index, so threads can read one stream in any order.
package struct RandomStream: Sendable, Hashable {
  /// The generator with this stream's key, for kernels that draw many words at once.
  package let philox: Philox

  /// Creates the stream of `purpose` at `coordinates` under `seed`.
  ///
  /// The key is a chain of Philox evaluations over the coordinates, so that streams with different
  /// seeds, purposes or coordinates are independent.
  package init(seed: UInt64, purpose: RandomPurpose, _ coordinates: Int...) {
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

  /// Returns the four words of block `index`, words 4·`index` to 4·`index` + 3 of the stream.
  package func block(_ index: UInt64) -> SIMD4<UInt32> {
    philox(
      SIMD4(UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32), 0, 0))
  }

  /// Returns word `index` of the stream.
  package func word(_ index: UInt64) -> UInt32 {
    block(index / 4)[Int(index % 4)]
  }

  /// Returns number `index` of the stream, uniform in [0, 1) with 24 random bits.
  package func uniform(_ index: UInt64) -> Float {
    Float(word(index) >> 8) * 0x1p-24
  }
}

/// Reads a stream in order, for code that needs Swift's `RandomNumberGenerator`.
package struct RandomSequence: RandomNumberGenerator, Sendable {
  private let stream: RandomStream
  private var position: UInt64 = 0

  package init(_ stream: RandomStream) {
    self.stream = stream
  }

  /// Returns the next 64 random bits, two words of the stream.
  package mutating func next() -> UInt64 {
    defer { position += 1 }
    let block = stream.block(position / 2)
    return position % 2 == 0
      ? UInt64(block.x) | UInt64(block.y) << 32 : UInt64(block.z) | UInt64(block.w) << 32
  }
}
