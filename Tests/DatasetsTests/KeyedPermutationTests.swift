import Testing

@testable import Datasets

struct KeyedPermutationTests {
  @Test func isABijectionForEveryCount() {
    for count in Array(1...130) + [255, 256, 257, 1000, 1023, 1024, 1025, 4096, 4097, 5000] {
      let permutation = KeyedPermutation(count: count, key: SIMD2(UInt32(count), 7))
      var seen = [Bool](repeating: false, count: count)
      for i in 0..<count { seen[permutation(i)] = true }
      #expect(!seen.contains(false), "\(count) elements")
    }
  }

  @Test func everyImageIsEquallyLikely() {
    // 5 elements, 4000 keys: each cell of the 5×5 table expects 800 ± 25.
    for count in [2, 3, 5] {
      var table = [Int](repeating: 0, count: count * count)
      let keys = 4_000
      for key in 0..<UInt32(keys) {
        let permutation = KeyedPermutation(count: count, key: SIMD2(key, 99))
        for i in 0..<count { table[i * count + permutation(i)] += 1 }
      }
      let expected = keys / count
      #expect(table.allSatisfy { abs($0 - expected) < 160 }, "\(count): \(table)")
    }
  }

  @Test func neighboursAreSeparated() {
    let count = 10_000
    let permutation = KeyedPermutation(count: count, key: SIMD2(1, 2))
    let pairs = (1..<count).count { permutation($0) == permutation($0 - 1) + 1 }
    #expect(pairs < 10, "\(pairs) of \(count) neighbours stayed neighbours")
  }

  @Test func countsBeyondThirtyTwoBitsArePermuted() {
    for count in [1 << 33, (1 << 40) + 1, Int.max] {
      let permutation = KeyedPermutation(count: count, key: SIMD2(3, 4))
      let images = Set((0..<64).map { permutation($0) } + [permutation(count - 1)])
      #expect(images.count == 65)
      #expect(images.allSatisfy { 0..<count ~= $0 })
      #expect(images.contains { $0 > count / 2 })
    }
  }
}
