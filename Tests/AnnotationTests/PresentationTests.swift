import Testing

@testable import Annotation

@Suite struct PresentationTests {
  private let ids = AnnotationPair.several(64).map(\.id)

  private func order(_ presentation: Presentation) -> [String] {
    ids.sorted { presentation.rank(ofPair: $0) < presentation.rank(ofPair: $1) }
  }

  private func sides(_ presentation: Presentation, _ count: Int = 64) -> [Place] {
    (0..<count).map(presentation.left)
  }

  @Test func seedAndAnnotatorAloneDecide() {
    let anna = Presentation(seed: 1, annotator: "anna")
    #expect(order(anna) == order(Presentation(seed: 1, annotator: "anna")))
    for other in [
      Presentation(seed: 2, annotator: "anna"), Presentation(seed: 1, annotator: "ben"),
    ] {
      #expect(order(other) != order(anna))
      #expect(sides(other) != sides(anna))
    }
    // On every machine: what somebody began, somebody else's program goes on with.
    #expect(
      sides(anna, 16).map { $0 == .first ? "f" : "s" }.joined() == "fssffsfssffssfsf")
  }

  @Test func everyTwoPairsAreBalanced() {
    for seed in 0..<20 {
      let sides = sides(Presentation(seed: UInt64(seed), annotator: "anna"))
      for block in 0..<32 { #expect(sides[2 * block] != sides[2 * block + 1]) }
    }
  }

  /// The coins of the blocks fall evenly, and those of neighbours do not follow each other.
  @Test func nobodyCanGuessASide() {
    let sides = sides(Presentation(seed: 7, annotator: "anna"), 8000)
    let coins = (0..<4000).map { sides[2 * $0] == .first }
    let changes = zip(coins, coins.dropFirst()).count { $0 != $1 }
    // Five standard deviations of 4000 coins.
    #expect(abs(coins.count { $0 } - 2000) < 160 && abs(changes - 2000) < 160)
  }

  @Test func theOrderOfOneTellsNothingOfAnothers() {
    let (anna, ben) = (
      order(Presentation(seed: 1, annotator: "anna")),
      order(Presentation(seed: 1, annotator: "ben"))
    )
    #expect(zip(anna, ben).count { $0 == $1 } < 8)
    #expect(zip(anna, ids).count { $0 == $1 } < 8)
  }
}
