/// The predicted time of a step on a cluster, and the bytes that it sends.
///
/// The gradient, S bytes, is exchanged in two parts. In the reduce-scatter a rank passes on (N−1)/N·S,
/// for every part of the summation tree that it holds, while the last backward pass runs; at least
/// its last bucket is waited for. The all-gather of the weights passes on as much again, and
/// everything waits for it. Ranks of one host read each other's memory, and of H hosts each sends
/// (H−1)/H·S, for every part that it holds; ranks send for themselves in a fast reduction, and where
/// the gradient is small.
/// A message between hosts takes its bytes ÷ bandwidth; each collective takes the latency once for
/// every doubling of the ranks, and the one that waits for all ranks a nap more
/// (`Communicator.awaitAll`).
///
/// With DiLoCo this is the exchange of the ranks of one worker. Once per round the workers exchange the
/// weights in the same two parts, which nothing overlaps; a step is charged its part of that.
package struct StepForecast: Sendable, Equatable {
  package let work: StepWork
  package let cluster: PlannedCluster

  package init(_ work: StepWork, on cluster: PlannedCluster) {
    self.work = work
    self.cluster = cluster
  }

  /// Bytes that a rank passes on to others in a step, as messages or in the memory of its host.
  package var bytesPerRank: Double { reduceScatterBytes + gatherBytes + agreementBytes }

  /// The least bytes that a rank can pass on, 2(N−1)/N·S among ranks that agree after every step.
  package var leastBytesPerRank: Double { 2 * others * 4 * Double(work.elements) + agreementBytes }

  /// Bytes that a host sends to others in a step.
  package var bytesOnWirePerHost: Double { reduceScatterOnWire + gatherOnWire + agreementOnWire }

  /// The time in which the exchange would be done if nothing overlapped it.
  package var secondsExchange: Double {
    secondsReduceScatter + secondsGather + secondsAgreement
  }

  /// The part of the exchange that no computation overlaps.
  package var secondsExposed: Double {
    guard cluster.ranks > 1 else { return 0 }
    let last = secondsReduceScatter / Double(max(1, work.buckets))
    return max(secondsReduceScatter - work.secondsOverlapped, last) + secondsGather
      + secondsAgreement
  }

  /// The updates of a rank's part of the elements, for each of its workers, beside the other ranks of its
  /// host.
  package var secondsUpdate: Double {
    let divided = (1 - work.undividedUpdate) * Double(work.rounds?.workers ?? 1)
    let undivided = work.undividedUpdate * Double(cluster.ranksPerHost * workersPerRank)
    return work.secondsUpdate * (divided / Double(cluster.hosts) + undivided)
  }

  package var seconds: Double {
    work.secondsCompute + secondsUpdate + secondsExposed + work.secondsOther
  }

  package var tokensPerSecond: Double { Double(work.tokens) / seconds }

  /// The fraction of a step in which ranks compute.
  package var efficiency: Double { work.secondsCompute / seconds }

  /// Positions of a step per host.
  package var tokensPerHost: Double { Double(work.tokens) / Double(cluster.hosts) }

  /// The positions per host and step that take as long to compute as the exchange takes; with fewer,
  /// no overlap can hide it.
  package var tokensToHide: Double {
    work.secondsCompute > 0 ? secondsExchange * tokensPerHost / work.secondsCompute : 0
  }

  /// The ranks that exchange a gradient.
  private var ranks: Int { max(1, cluster.ranks / (work.rounds?.workers ?? 1)) }
  /// The workers of DiLoCo that a rank computes one after the other.
  private var workersPerRank: Int { max(1, (work.rounds?.workers ?? 1) / cluster.ranks) }
  /// The groups of ranks that agree once per round.
  private var groups: Int { cluster.ranks / ranks }

  /// (N−1)/N.
  private var others: Double { Double(ranks - 1) / Double(ranks) }
  private var reduceScatterBytes: Double {
    others * Double(work.parts * work.gradientBytes) * Double(work.elements)
  }
  private var gatherBytes: Double { others * 4 * Double(work.elements) }

  /// Bytes that a rank sends per step for the agreement of a round: 2(G−1)/G of its part of the weights.
  private var agreementBytes: Double {
    guard let rounds = work.rounds else { return 0 }
    let bytes = 4 * Double(work.elements) / Double(ranks * rounds.steps)
    return 2 * Double(groups - 1) / Double(groups) * bytes
  }

  /// The fraction of a rank's bytes for its gradient that goes to other hosts.
  private var remoteFraction: Double {
    guard ranks > cluster.ranksPerHost else { return 0 }
    return Double(ranks - cluster.ranksPerHost) / Double(ranks - 1)
  }

  /// The fraction of a rank's bytes for the agreement that goes to other hosts.
  private var remoteAgreement: Double {
    guard groups > 1 else { return 0 }
    let near = min(groups, max(1, cluster.ranksPerHost / ranks))
    return Double(groups - near) / Double(groups - 1)
  }

  /// (H−1)/H for the H hosts of the ranks that exchange a gradient.
  private var otherHosts: Double {
    let hosts = max(1, ranks / cluster.ranksPerHost)
    return Double(hosts - 1) / Double(hosts)
  }
  /// Bytes that a host sends in the reduce-scatter.
  private var reduceScatterOnWire: Double {
    guard work.hasTwoLevels, work.gradientBytes == 4 else {
      return reduceScatterBytes * remoteFraction * Double(cluster.ranksPerHost)
    }
    return otherHosts * Double(work.partsPerHost * work.gradientBytes) * Double(work.elements)
  }
  /// Bytes that a host sends in the agreement of a round.
  private var agreementOnWire: Double {
    agreementBytes * remoteAgreement * Double(cluster.ranksPerHost)
  }
  /// Bytes that a host sends in the all-gather.
  private var gatherOnWire: Double {
    work.hasTwoLevels
      ? otherHosts * 4 * Double(work.elements)
      : gatherBytes * remoteFraction * Double(cluster.ranksPerHost)
  }

  private var secondsReduceScatter: Double {
    seconds(passing: reduceScatterBytes, sending: reduceScatterOnWire, remoteFraction)
      + collectives(ranks, taking: latency) + collectives(ranks, taking: latency + Self.nap)
  }
  private var secondsGather: Double {
    seconds(passing: gatherBytes, sending: gatherOnWire, remoteFraction)
      + collectives(ranks, taking: latency)
  }

  private var secondsAgreement: Double {
    guard let rounds = work.rounds else { return 0 }
    return seconds(passing: agreementBytes, sending: agreementOnWire, remoteAgreement)
      + 2 * collectives(groups, taking: latency) / Double(rounds.steps)
  }

  /// The seconds in which every rank passes on `bytes`, a fraction of them to other hosts, and every
  /// host sends `remote` bytes.
  private func seconds(
    passing bytes: Double, sending remote: Double, _ remoteFraction: Double
  ) -> Double {
    remote / cluster.networkBandwidth + bytes * (1 - remoteFraction) / cluster.localBandwidth
  }

  private static let nap = 100e-6

  private var latency: Double { cluster.hosts > 1 ? cluster.latency : 0 }

  /// The seconds of one collective per bucket, each of which takes so many for every doubling of `ranks`.
  private func collectives(_ ranks: Int, taking seconds: Double) -> Double {
    let doublings = Int.bitWidth - (ranks - 1).leadingZeroBitCount
    return Double(work.buckets * doublings) * seconds
  }
}
