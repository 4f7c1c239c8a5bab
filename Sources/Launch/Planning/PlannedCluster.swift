/// The machines of a planned run, all alike.
package struct PlannedCluster: Sendable, Equatable {
  package var hosts: Int
  package var ranksPerHost: Int
  /// Threads of a rank.
  package var threads: Int
  /// Bytes per second that a host sends while it receives as many.
  package var networkBandwidth: Double
  /// Seconds from one host to another, of a small message.
  package var latency: Double
  /// Bytes per second that a rank sends to others of its host.
  package var localBandwidth: Double
  /// Bytes per second of the run folder, of all ranks together.
  package var diskBandwidth: Double
  /// Mean seconds between failures of one host.
  package var betweenFailures: Double

  package init(
    hosts: Int, ranksPerHost: Int = 1, threads: Int, networkBandwidth: Double, latency: Double,
    localBandwidth: Double = 5e9, diskBandwidth: Double = 500e6,
    betweenFailures: Double = defaultHoursBetweenFailures * 3600
  ) {
    self.hosts = hosts
    self.ranksPerHost = ranksPerHost
    self.threads = threads
    self.networkBandwidth = networkBandwidth
    self.latency = latency
    self.localBandwidth = localBandwidth
    self.diskBandwidth = diskBandwidth
    self.betweenFailures = betweenFailures
  }

  package var ranks: Int { hosts * ranksPerHost }

  /// Mean hours between failures of a host, where the user knows no better: 419 interruptions in 54
  /// days of 2,048 hosts, "The Llama 3 Herd of Models" (2024), section 3.3.4.
  package static let defaultHoursBetweenFailures = 54.0 * 24 * 2048 / 419
}
