import Glibc
import TestWorld
import Testing

@testable import DataParallel

@Suite struct ThreadTeamTests {
  @Test(arguments: [1, 2, 4]) func runCallsEachIndexOnceBeforeItReturns(size: Int) throws {
    let team = try ThreadTeam(size: size)
    defer { team.stop() }
    for round in 0..<300 {
      let count = round % 9
      let done = TallySlots(count: 9)
      team.run(count) { index, lane in
        done[index].count += 1
        done[index].sum = Double(lane)
      }
      for index in 0..<9 { #expect(done[index].count == (index < count ? 1 : 0)) }
      #expect((0..<9).allSatisfy { done[$0].sum >= 0 && done[$0].sum < Double(size) })
    }
  }

  @Test func aSleepingTeamWakesUp() throws {
    let team = try ThreadTeam(size: 3)
    defer { team.stop() }
    for _ in 0..<5 {
      // Far longer than the helpers spin.
      usleep(20_000)
      let done = TallySlots(count: 3)
      team.run(3) { index, _ in
        usleep(2_000)
        done[index].count += 1
      }
      #expect((0..<3).allSatisfy { done[$0].count == 1 })
    }
  }

  @Test func theLeaderAndTheHelperWorkConcurrently() throws {
    let team = try ThreadTeam(size: 2)
    defer { team.stop() }
    let lanes = TallySlots(count: 2)
    // Each index waits for the other, so both end early only on two threads.
    let arrived = TallySlots(count: 2)
    team.run(2) { index, lane in
      arrived[index].count = 1
      lanes[lane].count += 1
      var waits = 0
      while arrived[1 - index].count == 0 && waits < 5_000 {
        usleep(1_000)
        waits += 1
      }
    }
    #expect(lanes[0].count == 1 && lanes[1].count == 1)
  }
}

@Suite struct WorkerSplitTests {
  @Test(arguments: [
    (threads: 2, leaves: 4, ranks: 1, workers: 2, team: 1),
    (threads: 8, leaves: 4, ranks: 1, workers: 4, team: 2),
    (threads: 8, leaves: 4, ranks: 2, workers: 2, team: 4),
    (threads: 7, leaves: 4, ranks: 3, workers: 2, team: 3),
    (threads: 3, leaves: 1, ranks: 1, workers: 1, team: 3),
    (threads: 1, leaves: 1, ranks: 4, workers: 1, team: 1),
  ])
  func threadsWithoutAMicroBatchJoinTeams(
    threads: Int, leaves: Int, ranks: Int, workers: Int, team: Int
  ) {
    let cores = Array(10..<10 + threads)
    let workerSplit = Cores.Assignment(threads: threads, cores: cores).workerSplit(
      leaves: leaves, ranks: ranks)
    #expect(workerSplit.workers == workers && workerSplit.team == team)
    #expect(workerSplit.cores == Array(cores.prefix(workers * team)))
  }
}
