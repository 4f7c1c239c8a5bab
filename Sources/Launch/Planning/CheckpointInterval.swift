import Foundation

/// The time between checkpoints for which checkpoints and lost work together cost least.
///
/// Arguments and results are in seconds. `cost` is the time that training loses by a checkpoint, and
/// `betweenFailures` the mean time between failures of the whole run, that of a host ÷ hosts.
package enum CheckpointInterval {
  /// √(2·C·M), a first approximation.
  ///
  /// Source: J. W. Young, "A first order approximation to the optimum checkpoint interval",
  /// Communications of the ACM 17 (1974), 530.
  package static func young(cost: Double, betweenFailures: Double) -> Double {
    (2 * cost * betweenFailures).squareRoot()
  }

  /// √(2·C·M)·(1 + ⅓·√(C/2M) + ⅑·C/2M) − C, and M where C is 2·M or more.
  ///
  /// Source: J. T. Daly, "A higher order estimate of the optimum checkpoint interval for restart
  /// dumps", Future Generation Computer Systems 22 (2006), 303, equation 37.
  package static func daly(cost: Double, betweenFailures: Double) -> Double {
    guard cost < 2 * betweenFailures else { return betweenFailures }
    let ratio = cost / (2 * betweenFailures)
    return young(cost: cost, betweenFailures: betweenFailures)
      * (1 + ratio.squareRoot() / 3 + ratio / 9) - cost
  }

  /// The fraction of time that is lost with checkpoints after every `interval` of work: their own, and
  /// half an interval for every failure.
  package static func loss(interval: Double, cost: Double, betweenFailures: Double) -> Double {
    guard interval > 0 else { return 1 }
    return min(1, cost / (interval + cost) + (interval / 2 + cost) / betweenFailures)
  }
}
