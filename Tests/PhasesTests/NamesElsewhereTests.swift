import Testing

@testable import Configuration
@testable import Phases

@Suite struct NamesElsewhereTests {
  /// A name of another trainer leads to a key that a phase has.
  @Test func everyNameLeadsToAKey() {
    let keys = Set(
      PhaseKind.allCases.flatMap { phase in
        ((try? ConfigurationReader.schema { try phase.type.readKeys(&$0) }) ?? []).map(\.path)
      })
    #expect(Spelling.namesElsewhere.keys.allSatisfy(keys.contains))
    let names = Spelling.namesElsewhere.values.joined()
    #expect(Set(names).count == names.count)
  }
}
