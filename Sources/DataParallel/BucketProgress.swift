import Tensors

/// The buckets of the flat gradient that are final.
///
/// Workers report each parameter whose gradient is complete.
final class BucketProgress: @unchecked Sendable {
  // Sendable: the counters are read and written under `condition`.
  private let condition = Condition()
  private let bucketsOfParameter: [[Int]]
  private let parametersInBucket: [Int]
  private let workers: Int
  /// The number of unreported parameters, by worker and bucket.
  private var missing: [[Int]] = []
  /// The number of workers with unreported parameters, by bucket.
  private var unfinished: [Int] = []
  private var isAbandoned = false

  /// - Parameter workers: The number of workers that report.
  init(layout: ParameterLayout, buckets: Buckets, workers: Int) {
    bucketsOfParameter = layout.entries.map { buckets.overlapping($0.range) }
    var counts = [Int](repeating: 0, count: buckets.ranges.count)
    for list in bucketsOfParameter { for bucket in list { counts[bucket] += 1 } }
    parametersInBucket = counts
    self.workers = workers
  }

  /// Starts a new step: every parameter of every worker is unreported.
  func reset() {
    condition.locked {
      isAbandoned = false
      missing = Array(repeating: parametersInBucket, count: workers)
      unfinished = parametersInBucket.map { $0 == 0 ? 0 : workers }
    }
  }

  /// Records that the gradient of `parameter` is complete on worker `worker`.
  ///
  /// Calls `finish` on this thread for each bucket that this completes on the worker, before the
  /// bucket's waiters wake.
  func complete(_ parameter: Int, worker: Int, finish: (_ bucket: Int) -> Void) {
    for bucket in bucketsOfParameter[parameter] {
      let isLast = condition.locked {
        missing[worker][bucket] -= 1
        return missing[worker][bucket] == 0
      }
      guard isLast else { continue }
      finish(bucket)
      condition.locked {
        unfinished[bucket] -= 1
        if unfinished[bucket] == 0 { condition.broadcast() }
      }
    }
  }

  /// Waits until every worker has finished `bucket`.
  ///
  /// - Returns: False when a worker failed; the step is then discarded.
  func wait(for bucket: Int) -> Bool {
    condition.locked {
      while unfinished[bucket] > 0 && !isAbandoned { condition.wait() }
      return !isAbandoned
    }
  }

  /// Wakes all waiters after a worker failed.
  func abandon() {
    condition.locked {
      isAbandoned = true
      condition.broadcast()
    }
  }
}
