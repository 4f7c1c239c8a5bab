import MPI
import TestWorld
import Testing

@testable import DataParallel

@Suite(.serialized, .worldInTurn) struct StartContractTests {
  private var last: Int { SharedWorld.world.size - 1 }

  /// Returns the mismatch that every rank reports when the last rank has `settings` and the others
  /// have `expected`.
  private func mismatch(
    _ settings: [(name: String, value: String)], where expected: [(name: String, value: String)]
  ) throws -> StartContract.Mismatch? {
    let world = try SharedWorld.communicator()
    do {
      try StartContract(world.rank == last && last > 0 ? settings : expected).agree(over: world)
      return nil
    } catch let error as StartContract.Mismatch {
      return error
    }
  }

  @Test func equalSettingsAgree() throws {
    let settings = [("empty", ""), ("text", "two\nlines and\0 a NUL, §"), ("", "nameless")]
    #expect(try mismatch(settings, where: settings) == nil)
  }

  @Test(.enabled(if: SharedWorld.expectedSize > 1, "One rank agrees with itself: needs mpirun."))
  func theMismatchNamesTheRankAndTheSetting() throws {
    let host = try Communicator.hostName
    let found = try mismatch([("a", "1"), ("b", "3")], where: [("a", "1"), ("b", "2")])
    #expect(found == .init(rank: last, host: host, setting: "b", found: "3", expected: "2"))
    let sentence = try #require(found).description
    for word in ["Rank \(last)", host, "b", "\"3\"", "\"2\""] { #expect(sentence.contains(word)) }
  }

  @Test(.enabled(if: SharedWorld.expectedSize > 1, "One rank agrees with itself: needs mpirun."))
  func namesAndNumberOfSettingsAreCompared() throws {
    let renamed = try mismatch([("c", "1")], where: [("a", "1")])
    #expect(renamed?.found == "c" && renamed?.expected == "a")
    let missing = try mismatch([("a", "1")], where: [("a", "1"), ("b", "2")])
    #expect(missing?.setting == "number of settings" && missing?.found == "1")
    // The same letters, divided into other words, are a mismatch too.
    #expect(try mismatch([("a", "bc")], where: [("ab", "c")]) != nil)
  }
}
