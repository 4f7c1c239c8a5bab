import MPI
import RandomNumbers

/// Inputs that every rank can compute for all ranks, so that each checks its results without
/// messages.
enum Sample {
  /// Buffer lengths, at and beside multiples of the limits in `limits`.
  static let counts = [0, 1, 2, 3, 4, 5, 8, 17, 100]

  /// Values of `maximumCount`; nil is the default, without chunks.
  static let limits: [Int?] = [nil, 1, 2, 3, 7, 16]

  /// Random integers 0…15: `UInt8` can hold the sum over 16 ranks, and `Float` adds them exactly.
  static func values<T: TestScalar>(_ count: Int, rank: Int, salt: Int = 0) -> [T] {
    let stream = RandomStream(seed: 1, purpose: .probe, rank, salt)
    return (0..<count).map { T(small: Int(stream.word(UInt64($0)) % 16)) }
  }

  /// Random block sizes 0…19, the same on every rank: `[sender][receiver]`.
  static func countMatrix(size: Int, salt: Int) -> [[Int]] {
    let stream = RandomStream(seed: 2, purpose: .probe, size, salt)
    return (0..<size).map { row in
      (0..<size).map { column in
        let word = Int(stream.word(UInt64(row * size + column)))
        return word % 4 == 0 ? 0 : word / 4 % 20
      }
    }
  }

  /// A layout with blocks of `counts`, with gaps of 0…3 elements, in an order other than that of
  /// ranks.
  static func scatteredLayout(_ counts: [Int], salt: Int) -> BlockLayout {
    let stream = RandomStream(seed: 3, purpose: .probe, salt)
    var end = 0
    var displacements = counts.map { _ in 0 }
    for place in counts.indices {
      let block = (salt + counts.count - 1 - place) % counts.count
      displacements[block] = end + Int(stream.word(UInt64(place)) % 4)
      end = displacements[block] + counts[block]
    }
    return BlockLayout(counts: counts, displacements: displacements)
  }
}

extension Array {
  /// Copies `block` to the displacement of `rank` in `layout`; an empty block may lie past the end.
  mutating func place(_ block: [Element], in layout: BlockLayout, of rank: Int) {
    guard !block.isEmpty else { return }
    let start = layout.displacements[rank]
    replaceSubrange(start..<start + block.count, with: block)
  }
}

/// A scalar that a test can make from a small integer.
protocol TestScalar: MPIScalar, Equatable {
  init(small: Int)
}

extension TestScalar where Self: BinaryInteger {
  init(small: Int) { self.init(small) }
}

extension Float: TestScalar { init(small: Int) { self.init(small) } }
extension Double: TestScalar { init(small: Int) { self.init(small) } }
extension Int32: TestScalar {}
extension Int64: TestScalar {}
extension UInt8: TestScalar {}
extension UInt16: TestScalar {}
extension UInt64: TestScalar {}
