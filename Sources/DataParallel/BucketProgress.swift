import Tensors

/// Which buckets of the flat gradient are final, as workers report parameter after parameter.
final class BucketProgress: @unchecked Sendable {
  // Sendable: the counters are read and written under `condition`.
  private let condition = Condition()
  private let bucketsOfParameter: [[Int]]
  private let parametersInBucket: [Int]
  private let workers: Int
  /// Parameters still missing, by worker and bucket.
  private var missing: [[Int]] = []
  /// Workers still missing, by bucket.
  private var unfinished: [Int] = []
  private var isAbandoned = false

  /// - Parameters:
  ///   - workers: How many workers report.
  init(layout: ParameterLayout, buckets: Buckets, workers: Int) {
    bucketsOfParameter = layout.entries.map { buckets.overlapping($0.range) }
    var counts = [Int](repeating: 0, count: buckets.ranges.count)
    for list in bucketsOfParameter { for bucket in list { counts[bucket] += 1 } }
    parametersInBucket = counts
    self.workers = workers
  }

  /// Everything is missing again.
  func reset() {
    condition.locked {
      isAbandoned = false
      missing = Array(repeating: parametersInBucket, count: workers)
      unfinished = parametersInBucket.map { $0 == 0 ? 0 : workers }
    }
  }

  /// Worker `worker` has the last contribution to `parameter`.
  ///
  /// `finish` is called, on this thread, for each bucket that this completes on the worker, before
  /// others are told.
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
  /// - Returns: Whether they have; if not, a worker failed and the step will not be used.
  func wait(for bucket: Int) -> Bool {
    condition.locked {
      while unfinished[bucket] > 0 && !isAbandoned { condition.wait() }
      return !isAbandoned
    }
  }

  /// Lets everybody who waits go: a worker failed.
  func abandon() {
    condition.locked {
      isAbandoned = true
      condition.broadcast()
    }
  }
}
