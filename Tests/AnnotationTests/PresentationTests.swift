import Testing

@testable import Annotation

@Suite struct PresentationTests {
  private let ids = AnnotationPair.several(64).map(\.id)

  private func order(_ presentation: Presentation) -> [String] {
    ids.sorted { presentation.sortKey(ofPair: $0) < presentation.sortKey(ofPair: $1) }
  }

  private func sides(_ presentation: Presentation, _ count: Int = 64) -> [Place] {
    (0..<count).map(presentation.left)
  }

  @Test func orderAndSidesDependOnSeedAndAnnotatorOnly() {
    let anna = Presentation(seed: 1, annotator: "anna")
    #expect(order(anna) == order(Presentation(seed: 1, annotator: "anna")))
    for other in [
      Presentation(seed: 2, annotator: "anna"), Presentation(seed: 1, annotator: "ben"),
    ] {
      #expect(order(other) != order(anna))
      #expect(sides(other) != sides(anna))
    }
    // Golden values: a session can be resumed on another machine.
    #expect(
      sides(anna, 16).map { $0 == .first ? "f" : "s" }.joined() == "fssffsfssffssfsf")
  }

  @Test func everyTwoPairsAreBalanced() {
    for seed in 0..<20 {
      let sides = sides(Presentation(seed: UInt64(seed), annotator: "anna"))
      for block in 0..<32 { #expect(sides[2 * block] != sides[2 * block + 1]) }
    }
  }

  /// The random bits of the blocks are balanced, and neighbouring bits are not correlated.
  @Test func sidesAreUnpredictable() {
    let sides = sides(Presentation(seed: 7, annotator: "anna"), 8000)
    let bits = (0..<4000).map { sides[2 * $0] == .first }
    let changes = zip(bits, bits.dropFirst()).count { $0 != $1 }
    // Five standard deviations of 4000 bits.
    #expect(abs(bits.count { $0 } - 2000) < 160 && abs(changes - 2000) < 160)
  }

  @Test func ordersOfAnnotatorsAreUnrelated() {
    let (anna, ben) = (
      order(Presentation(seed: 1, annotator: "anna")),
      order(Presentation(seed: 1, annotator: "ben"))
    )
    #expect(zip(anna, ben).count { $0 == $1 } < 8)
    #expect(zip(anna, ids).count { $0 == $1 } < 8)
  }
}
