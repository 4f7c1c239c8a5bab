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
package struct StepForecast: Sendable, Equatable {
  package let work: StepWork
  package let cluster: PlannedCluster

  package init(_ work: StepWork, on cluster: PlannedCluster) {
    self.work = work
    self.cluster = cluster
  }

  /// Bytes that a rank passes on to others in a step, as messages or in the memory of its host.
  package var bytesPerRank: Double { reduceScatterBytes + gatherBytes }

  /// The least bytes that a rank can pass on, 2(N−1)/N·S.
  package var leastBytesPerRank: Double { 2 * others * 4 * Double(work.elements) }

  /// Bytes that a host sends to others in a step.
  package var bytesOnWirePerHost: Double { reduceScatterOnWire + gatherOnWire }

  /// The time in which the exchange would be done if nothing overlapped it.
  package var secondsExchange: Double { secondsReduceScatter + secondsGather }

  /// The part of the exchange that no computation overlaps.
  package var secondsExposed: Double {
    guard cluster.ranks > 1 else { return 0 }
    let last = secondsReduceScatter / Double(max(1, work.buckets))
    return max(secondsReduceScatter - work.secondsOverlapped, last) + secondsGather
  }

  /// The update of a rank's part of the elements, beside the other ranks of its host.
  package var secondsUpdate: Double {
    let divided = (1 - work.undividedUpdate) / Double(cluster.hosts)
    return work.secondsUpdate
      * (divided + work.undividedUpdate * Double(cluster.ranksPerHost))
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

  /// (N−1)/N.
  private var others: Double { Double(cluster.ranks - 1) / Double(cluster.ranks) }
  private var reduceScatterBytes: Double {
    others * Double(work.parts * work.gradientBytes) * Double(work.elements)
  }
  private var gatherBytes: Double { others * 4 * Double(work.elements) }

  /// The fraction of a rank's bytes that goes to other hosts.
  private var remoteFraction: Double {
    guard cluster.ranks > 1 else { return 0 }
    return Double(cluster.ranks - cluster.ranksPerHost) / Double(cluster.ranks - 1)
  }

  /// (H−1)/H.
  private var otherHosts: Double { Double(cluster.hosts - 1) / Double(cluster.hosts) }
  /// Bytes that a host sends in the reduce-scatter.
  private var reduceScatterOnWire: Double {
    guard work.hasTwoLevels, work.gradientBytes == 4 else {
      return reduceScatterBytes * remoteFraction * Double(cluster.ranksPerHost)
    }
    return otherHosts * Double(work.partsPerHost * work.gradientBytes) * Double(work.elements)
  }
  /// Bytes that a host sends in the all-gather.
  private var gatherOnWire: Double {
    work.hasTwoLevels
      ? otherHosts * 4 * Double(work.elements)
      : gatherBytes * remoteFraction * Double(cluster.ranksPerHost)
  }

  private var secondsReduceScatter: Double {
    seconds(passing: reduceScatterBytes, sending: reduceScatterOnWire)
      + collectives(taking: latency) + collectives(taking: latency + Self.nap)
  }
  private var secondsGather: Double {
    seconds(passing: gatherBytes, sending: gatherOnWire) + collectives(taking: latency)
  }

  /// The seconds in which every rank passes on `bytes`, and every host sends `remote` of them.
  private func seconds(passing bytes: Double, sending remote: Double) -> Double {
    remote / cluster.networkBandwidth + bytes * (1 - remoteFraction) / cluster.localBandwidth
  }

  private static let nap = 100e-6

  private var latency: Double { cluster.hosts > 1 ? cluster.latency : 0 }

  /// The seconds of one collective per bucket, each of which takes so many for every doubling.
  private func collectives(taking seconds: Double) -> Double {
    let doublings = Int.bitWidth - (cluster.ranks - 1).leadingZeroBitCount
    return Double(work.buckets * doublings) * seconds
  }
}
