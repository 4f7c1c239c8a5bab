import MPI
import TestWorld
import Testing

@testable import DataParallel

@Suite(.serialized, .worldInTurn) struct StartContractTests {
  private var last: Int { SharedWorld.world.size - 1 }

  /// What the last rank's terms bring on every rank, when rank 0 has `expected`.
  private func mismatch(
    _ terms: [(name: String, value: String)], where expected: [(name: String, value: String)]
  ) throws -> StartContract.Mismatch? {
    let world = try SharedWorld.group()
    do {
      try StartContract(world.rank == last && last > 0 ? terms : expected).agree(over: world)
      return nil
    } catch let error as StartContract.Mismatch {
      return error
    }
  }

  @Test func equalTermsAgree() throws {
    let terms = [("empty", ""), ("text", "two\nlines and\0 a NUL, §"), ("", "nameless")]
    #expect(try mismatch(terms, where: terms) == nil)
  }

  @Test(.enabled(if: SharedWorld.expectedSize > 1, "One rank agrees with itself: needs mpirun."))
  func whoDiffersIsNamed() throws {
    let host = try Communicator.hostName
    let found = try mismatch([("a", "1"), ("b", "3")], where: [("a", "1"), ("b", "2")])
    #expect(found == .init(rank: last, host: host, term: "b", found: "3", expected: "2"))
    let sentence = try #require(found).description
    for word in ["Rank \(last)", host, "b", "\"3\"", "\"2\""] { #expect(sentence.contains(word)) }
  }

  @Test(.enabled(if: SharedWorld.expectedSize > 1, "One rank agrees with itself: needs mpirun."))
  func namesAndNumbersOfTermsCount() throws {
    let renamed = try mismatch([("c", "1")], where: [("a", "1")])
    #expect(renamed?.found == "c" && renamed?.expected == "a")
    let missing = try mismatch([("a", "1")], where: [("a", "1"), ("b", "2")])
    #expect(missing?.term == "number of terms" && missing?.found == "1")
    // Where one word ends and the next begins counts, not only the letters.
    #expect(try mismatch([("a", "bc")], where: [("ab", "c")]) != nil)
  }
}
