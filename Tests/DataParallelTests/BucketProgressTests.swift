import Glibc
import Testing

@testable import DataParallel
@testable import Tensors

@Suite struct BucketProgressTests {
  /// A layout of three parameters, of which the middle one lies in two buckets.
  private let layout = ParameterLayout { parameters in
    [40_000, 50_000, 40_000].enumerated().map {
      parameters.tensor("p\($0)", [$1], .constant(0), decays: false)
    }
  }

  private func progress(workers: Int) -> (BucketProgress, Buckets) {
    let buckets = Buckets(count: layout.count, ranks: 1)
    let progress = BucketProgress(layout: layout, buckets: buckets, workers: workers)
    progress.reset()
    return (progress, buckets)
  }

  @Test func aBucketIsFinishedWithItsLastParameter() {
    let (progress, buckets) = progress(workers: 1)
    #expect(buckets.ranges == [65_536..<layout.count, 0..<65_536])
    var finished: [Int] = []
    progress.complete(2, worker: 0) { finished.append($0) }
    #expect(finished == [])
    progress.complete(1, worker: 0) { finished.append($0) }
    #expect(finished == [0])
    progress.complete(0, worker: 0) { finished.append($0) }
    #expect(finished == [0, 1])
    #expect(progress.wait(for: 0) && progress.wait(for: 1))
  }

  @Test func waitReturnsAfterEveryWorkerHasFinished() throws {
    let (progress, _) = progress(workers: 2)
    let pool = try WorkerPool(count: 1)
    defer { pool.stop() }
    for parameter in [2, 1] { progress.complete(parameter, worker: 0) { _ in } }
    pool.start { _ in _ = progress.wait(for: 0) }
    usleep(20_000)
    #expect(!pool.isIdle)
    for parameter in [2, 1] { progress.complete(parameter, worker: 1) { _ in } }
    try pool.wait()
  }

  @Test func withoutWorkersEveryBucketIsFinished() {
    let (progress, _) = progress(workers: 0)
    #expect(progress.wait(for: 0) && progress.wait(for: 1))
  }

  @Test func abandonWakesWaitersUntilTheNextReset() throws {
    let (progress, _) = progress(workers: 1)
    let pool = try WorkerPool(count: 1)
    defer { pool.stop() }
    let results = TallySlots(count: 1)
    pool.start { _ in results[0].count = progress.wait(for: 1) ? 1 : -1 }
    progress.abandon()
    try pool.wait()
    #expect(results[0].count == -1)
    progress.reset()
    for parameter in 0..<3 { progress.complete(parameter, worker: 0) { _ in } }
    #expect(progress.wait(for: 1))
  }
}
