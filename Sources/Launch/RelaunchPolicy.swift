/// The decision what follows the end of an attempt: on which hosts, after what time and from which
/// checkpoint the run is started again, or with which exit code it ends.
///
/// A pure value: times are given, in seconds.
package struct RelaunchPolicy: Equatable, Sendable {
  /// The end of an attempt.
  package struct End: Equatable, Sendable {
    /// The exit code of `mpirun`.
    package var code: Int32
    /// The hosts on which the attempt ran.
    package var hosts: [String] = []
    /// The host that failed; nil when nothing names it.
    package var failedHost: String?
    /// True when that host does not answer.
    package var isLost = false
    /// True when that host computes wrongly.
    package var computesWrongly = false
    package var reason = ""
    /// The newest step that the run has reached; nil when it has no folder to see it in.
    package var step: Int?
    /// True when the launcher was asked to stop.
    package var isStopped = false
    /// True when `mpirun` refused its command line, or another run has taken the folder over.
    package var isFinal = false

    package init(code: Int32) {
      self.code = code
    }
  }

  /// The next start of the run.
  package struct Start: Equatable, Sendable {
    package let hosts: Hosts
    /// The seconds to wait before it.
    package let wait: Double
    /// True to resume from the checkpoint before the newest one.
    package var goesBack: Bool
  }

  /// The number of attempts without progress after which a run ends.
  package static let mostAttempts = 5
  /// The number of failures at one step after which the run goes back one checkpoint.
  package static let mostFailuresOfStep = 3

  /// The hosts that have failed.
  package private(set) var memory: HostMemory
  /// The furthest step that any attempt has reached.
  package private(set) var furthest: Int?
  /// The number of attempts in a row that did not go beyond the furthest step.
  package private(set) var attemptsWithoutProgress = 0
  /// The hosts that did not answer since the run last advanced.
  private var lostHosts: Set<String> = []
  /// The number of failures in a row since the run last advanced.
  private var failuresOfStep = 0

  /// The policy of a run that has reached `step`; nil for none.
  package init(memory: HostMemory = HostMemory(), step: Int? = nil) {
    self.memory = memory
    furthest = step
  }

  /// Records the end of an attempt; returns the exit code when no other follows.
  package mutating func record(_ end: End, at now: Double) -> Int32? {
    if end.code == 0 {
      memory.forgive(end.hosts)
      return 0
    }
    // Usage, configuration or input, and divergence come again with every start.
    if [2, 3, 64].contains(end.code) { return end.code }
    // A stop whose checkpoint could not be saved is none that lost nothing.
    if end.isStopped { return end.code == 5 ? 5 : 75 }
    if end.isFinal { return end.code == 5 ? 5 : 2 }
    let advances = end.step.map { $0 > furthest ?? 0 } ?? false
    if advances {
      furthest = end.step
      attemptsWithoutProgress = 0
      lostHosts = []
      memory.forgive(end.hosts)
    } else {
      attemptsWithoutProgress += 1
    }
    // Full once more, it needs a human.
    if end.code == 5, attemptsWithoutProgress > 1 { return 5 }
    if let host = end.failedHost {
      if end.isLost { lostHosts.insert(host) }
      if end.computesWrongly {
        memory.recordWrong(host, reason: end.reason, at: now)
      } else {
        memory.record(host, isLost: end.isLost, reason: end.reason, at: now)
      }
    }
    // A lost host, one that computes wrongly and a full disk are not the fault of a step.
    if !end.isLost, !end.computesWrongly, end.code != 5 {
      // The last lines of a killed run are missing now and then, so steps are not compared exactly.
      failuresOfStep = advances || end.step == nil ? 1 : failuresOfStep + 1
    }
    return attemptsWithoutProgress >= Self.mostAttempts ? 4 : nil
  }

  /// Leaves out a host on which no rank could run.
  mutating func leaveOut(_ host: String, reason: String, at now: Double) {
    memory.record(host, isLost: true, reason: reason, at: now)
    lostHosts.insert(host)
  }

  /// The hosts of the next start, and the time to wait for it.
  ///
  /// Hosts that cool down are left out, and those with failures come last, also as spares. Where all
  /// cool down, the run waits for the first of them, but not at its first start. Hosts that have
  /// computed wrongly are used only where no other is left.
  ///
  /// - Parameters:
  ///   - hosts: All hosts; the last `spares` of them stand by.
  ///   - isFirst: True at the first start of the run.
  package mutating func start(
    on hosts: Hosts, spares: Int = 0, isFirst: Bool = false, at now: Double
  ) -> Start {
    let memory = memory
    let sound = hosts.all.filter { !memory.computesWrongly($0.name) }
    let candidates = sound.isEmpty ? hosts.all : sound
    let wait = { (host: Host) in
      sound.isEmpty ? 0 : memory.cooldown(of: host.name, at: now)
    }
    // Hosts that did not answer stay out until the run has advanced without them.
    let answering = candidates.filter {
      attemptsWithoutProgress == 0 || !lostHosts.contains($0.name)
    }
    let all = answering.isEmpty ? candidates : answering
    let shortest = all.map(wait).min() ?? 0
    // A host that is ready a little later is waited for too.
    let last = shortest > 0 ? shortest + HostMemory.firstCooldown : 0
    let usable = isFirst && shortest > 0 ? all : all.filter { wait($0) <= last }
    let order = usable.enumerated().sorted {
      (memory.failures(of: $0.element.name), $0.offset)
        < (memory.failures(of: $1.element.name), $1.offset)
    }
    // The ranks keep the order of the list.
    let chosen = order.prefix(max(1, hosts.all.count - spares)).sorted { $0.offset < $1.offset }
    // A failure that no host explains comes again at once on all of them.
    let ready = chosen.map { wait($0.element) }.max() ?? 0
    let pause = HostMemory.cooldown(attemptsWithoutProgress - 1)
    let goesBack = failuresOfStep >= Self.mostFailuresOfStep
    if goesBack { failuresOfStep = 0 }
    return Start(
      hosts: Hosts(chosen.map(\.element)), wait: isFirst ? 0 : max(ready, pause),
      goesBack: goesBack)
  }
}
