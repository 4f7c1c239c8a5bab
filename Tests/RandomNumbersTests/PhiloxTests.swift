import RandomNumbers
import Testing

@Suite struct PhiloxTests {
  /// The vectors of Random123's `kat_vectors`, philox4x32 with 10 rounds.
  @Test func theKnownAnswersOfRandom123AreReproduced() {
    #expect(
      Philox(key: SIMD2(0, 0))(SIMD4(0, 0, 0, 0))
        == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      Philox(key: SIMD2(repeating: .max))(SIMD4(repeating: .max))
        == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      Philox(key: SIMD2(0xa409_3822, 0x299f_31d0))(
        SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344))
        == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  @Test func streamsDifferBySeedPurposeAndEveryCoordinate() {
    let streams = [
      RandomStream(seed: 1, purpose: .dropout, 1, 2),
      RandomStream(seed: 2, purpose: .dropout, 1, 2),
      RandomStream(seed: 1, purpose: .sampling, 1, 2),
      RandomStream(seed: 1, purpose: .dropout, 2, 1),
      RandomStream(seed: 1, purpose: .dropout, 1),
      RandomStream(seed: 1, purpose: .dropout, 1, 2, 0),
      RandomStream(seed: 1 << 32, purpose: .dropout, 1, 2),
    ]
    #expect(Set(streams.map { $0.word(0) }).count == streams.count)
  }

  /// Pairs of numbers from two neighbouring streams are uniform over the unit square: Pearson's χ²
  /// test over 10 × 10 cells, with 99 degrees of freedom and a tolerance of four standard
  /// deviations.
  @Test func neighbouringStreamsAreIndependent() {
    let pairs: [(RandomStream, RandomStream)] = [
      (RandomStream(seed: 1, purpose: .probe), RandomStream(seed: 2, purpose: .probe)),
      (RandomStream(seed: 1, purpose: .probe, 0), RandomStream(seed: 1, purpose: .probe, 1)),
      (RandomStream(seed: 1, purpose: .probe, 3, 4), RandomStream(seed: 1, purpose: .probe, 4, 3)),
      (RandomStream(seed: 1, purpose: .probe, 9), RandomStream(seed: 1, purpose: .sampling, 9)),
    ]
    let draws = 20_000
    for (index, (a, b)) in pairs.enumerated() {
      var cells = [Double](repeating: 0, count: 100)
      for draw in 0..<UInt64(draws) {
        cells[Int(a.uniform(draw) * 10) * 10 + Int(b.uniform(draw) * 10)] += 1
      }
      let mean = Double(draws) / 100
      let statistic = cells.reduce(0) { $0 + ($1 - mean) * ($1 - mean) / mean }
      #expect(statistic < 99 + 4 * 198.0.squareRoot(), "pair \(index): χ² \(statistic)")
    }
  }

  @Test func wordsAreTheBlocksInOrder() {
    let stream = RandomStream(seed: 9, purpose: .probe, -1)
    for index in [0, 1, 5, 1 << 33] as [UInt64] {
      let block = stream.block(index)
      #expect((0..<4).allSatisfy { stream.word(4 * index + UInt64($0)) == block[$0] })
    }
    #expect(stream.block(0) != stream.block(1 << 32))
    #expect(stream != RandomStream(seed: 9, purpose: .probe, 1))
  }

  @Test func uniformNumbersFillTheUnitInterval() {
    let stream = RandomStream(seed: 3, purpose: .probe)
    let values = (0..<20_000).map { stream.uniform(UInt64($0)) }
    #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
    #expect(abs(values.reduce(0, +) / 20_000 - 0.5) < 0.01)
    for tenth in 0..<10 {
      let count = values.filter { Int($0 * 10) == tenth }.count
      #expect(abs(count - 2000) < 200)
    }
  }

  @Test func aSequenceReadsItsStreamInOrder() {
    let stream = RandomStream(seed: 4, purpose: .probe)
    var sequence = RandomSequence(stream)
    for pair in 0..<9 {
      let expected =
        UInt64(stream.word(UInt64(2 * pair))) | UInt64(stream.word(UInt64(2 * pair + 1))) << 32
      #expect(sequence.next() == expected)
    }
  }
}
