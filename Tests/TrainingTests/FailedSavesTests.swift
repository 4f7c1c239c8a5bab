import Testing

@testable import Training

@Suite struct FailedSavesTests {
  private func failure(_ step: Int) -> SaveFailure {
    SaveFailure(step: step, rank: 2, reason: "the disk is full")
  }

  @Test func aRunEndsAfterThreeIntervalsWithoutASave() throws {
    var saves = FailedSaves(interval: 100)
    let first = try saves.record(failure(300), after: 301)
    #expect(
      first == "the checkpoint of step 300 cannot be saved on rank 2: the disk is full; training "
        + "continues, the next save is tried at step 326, and the run ends if none succeeds by "
        + "step 600")
    #expect(saves.retry == 326)
    _ = try saves.record(failure(326), after: 590)
    #expect(saves.retry == 600)
    #expect(throws: failure(600)) { try saves.record(failure(600), after: 600) }
  }

  @Test func aSaveThatSucceedsClearsTheFailures() throws {
    var saves = FailedSaves(interval: 1)
    _ = try saves.record(failure(3), after: 4)
    #expect(saves.first == 3 && saves.retry == 5)
    saves.clear()
    #expect(saves.first == nil && saves.retry == nil)
    // Steps that are faster than saves: three are tried all the same.
    _ = try saves.record(failure(7), after: 18)
    _ = try saves.record(failure(19), after: 28)
    #expect(saves.retry == 29)
    #expect(throws: failure(29)) { try saves.record(failure(29), after: 38) }
  }

  /// Without an interval nothing is lost that would have been saved.
  @Test(arguments: [0, Int.max])
  func aRunThatSavesOnlyAtItsEndContinues(interval: Int) throws {
    var saves = FailedSaves(interval: interval)
    let sentence = try saves.record(failure(5), after: 1000)
    #expect(sentence.hasSuffix("the disk is full; training continues") && saves.retry == nil)
  }
}
