import Monitoring
import TestWorld
import Testing

@testable import Training

@Suite(.serialized, .worldInTurn) struct ControlWordTests {
  private func word(
    _ orders: ControlWord.Orders, _ signals: ControlWord.Signals, _ saving: ControlWord.Saving,
    size: Int, sha256: String
  ) -> ControlWord {
    var word = ControlWord()
    word.orders = orders
    word.signals = signals
    word.saving = saving
    (word.size, word.flops) = (size, size / 3)
    word.energy = Energy(measured: Double(size % 1000), modelled: 0.25)
    word.sha256 = sha256
    return word
  }

  private var samples: [ControlWord] {
    [
      ControlWord(),
      word([.save, .evaluate], [.save, .stop], .written, size: 123_456_789_012, sha256: digits),
      word([.evaluate], [.stop], .writing, size: 0, sha256: ""),
      word([], [], .written, size: .max, sha256: digits),
    ]
  }

  private let digits = String(repeating: "0123456789abcdef", count: 4)

  @Test func aWordSurvivesTheRoundTripThroughBytes() {
    for word in samples {
      #expect(word.bytes.count == ControlWord.byteCount)
      #expect(ControlWord(word.bytes[...]) == word)
    }
  }

  @Test func everyRankReceivesTheWordsOfAllRanks() throws {
    let world = try SharedWorld.communicator()
    let words = try samples[world.rank % samples.count].exchanged(over: world)
    #expect(words == (0..<world.size).map { samples[$0 % samples.count] })
  }
}
