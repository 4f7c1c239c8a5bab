import DataParallel
import MPI
import Monitoring

/// The account of a run's energy on rank 0: that of all hosts, over all attempts.
///
/// The ranks' readings are part of the control words. The total is in every line of metrics.jsonl,
/// from which a resumed run continues; what an interrupted attempt spent on steps that were lost
/// counts as well. Checkpoints do not have it: they are the same for equal runs.
struct RunEnergy {
  private let options: EnergyOptions
  /// The energy so far.
  private(set) var total: Energy
  /// The tokens that the run had seen when the account began.
  private let tokensBefore: Int
  /// True when this attempt has computed a step.
  private(set) var hasCounted = false
  /// The time of the meters' readings.
  private var clock: Stopwatch

  /// Continues an account, or begins a new one.
  ///
  /// - Parameters:
  ///   - earlier: The energy of earlier attempts; nil for none.
  ///   - tokensSeen: The tokens of the checkpoint that the run starts from.
  ///   - isOwn: True when the checkpoint is one of this run.
  ///   - clock: Started with the meters.
  init(
    _ options: EnergyOptions, earlier: Energy?, tokensSeen: Int, isOwn: Bool,
    clock: Stopwatch = Stopwatch()
  ) {
    self.clock = clock
    self.options = options
    total = earlier ?? Energy()
    tokensBefore = isOwn && earlier != nil ? 0 : tokensSeen
  }

  /// Adds the readings in `words`, and reports them with their step.
  mutating func count(_ words: [ControlWord], in report: inout StepReport) {
    let energy = words.reduce(Energy()) { $0 + $1.energy }
    total = total + energy
    hasCounted = true
    report.energy = .init(
      joules: energy.joules, watts: energy.joules / max(clock.lap(), 1e-6), total: total)
  }

  /// Adds what was spent after the last step, and returns a sentence about the run.
  ///
  /// Collective.
  mutating func conclude(_ last: Energy, tokensSeen: Int, over world: Communicator) throws
    -> String
  {
    let sums = try world.allReduce([last.measured, last.modelled], .sum)
    total = total + Energy(measured: sums[0], modelled: sums[1])
    return total.sentence(
      tokens: Double(tokensSeen - tokensBefore), wattsPerCore: options.wattsPerCore,
      gramsPerKilowattHour: options.gramsPerKilowattHour)
  }
}

extension EnergyMeter {
  /// The meter of this rank: of the ranks under one kernel, the first that can read the counters reads
  /// them for all.
  ///
  /// Ranks in containers of one machine have several host names, but one kernel. Collective.
  init(
    on world: Communicator, wattsPerCore: Double, counters: PackageCounters? = PackageCounters(),
    kernel: String? = EnergyMeter.kernel
  ) throws {
    let own = "\(counters == nil ? "-" : "+")\(try kernel ?? Communicator.hostName)"
    let all = try world.allGatherV(Array(own.utf8)).map { String(decoding: $0, as: UTF8.self) }
    let ranks = all.indices.filter { all[$0].dropFirst() == own.dropFirst() }
    let reader = ranks.first { all[$0].hasPrefix("+") }
    let role: Role =
      if reader == world.rank, let counters {
        .counters(counters, processes: ranks.count)
      } else {
        reader == nil ? .model : .silent
      }
    self.init(role, wattsPerCore: wattsPerCore)
  }
}
