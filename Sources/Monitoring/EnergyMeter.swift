import Glibc

/// The energy of one process's part of a run, since the last reading.
///
/// One process reads the counters of the CPU packages for its whole host, other programs included.
/// Where there are none that it may read, every process contributes a model instead: its CPU time ×
/// the power of a busy core, that is, cores × utilisation × watts per core. Memory, fans and power
/// supplies are in neither.
package struct EnergyMeter {
  /// The power of a busy core in watts, unless the user knows better: the mean for processors of all
  /// kinds in Green Algorithms (Lannelongue, Grealey, Inouye: Advanced Science 8, 2100707, 2021;
  /// `TDP_cpu.csv`, "Any"), whose model this is.
  package static let defaultWattsPerCore = 12.0

  /// The energy that a process accounts for.
  package enum Role {
    /// The host's, of which `processes` run here.
    case counters(PackageCounters, processes: Int)
    /// That of its own CPU time.
    case model
    /// None: another process of the host reads its counters.
    case silent
  }

  /// A moment in seconds, of the clock and of the CPU time of this process.
  package struct Moment: Sendable {
    package let clock: Double
    package let cpu: Double

    package init(clock: Double, cpu: Double) {
      (self.clock, self.cpu) = (clock, cpu)
    }

    /// This moment.
    package static var now: Moment {
      Moment(clock: seconds(CLOCK_MONOTONIC), cpu: seconds(CLOCK_PROCESS_CPUTIME_ID))
    }

    private static func seconds(_ clock: clockid_t) -> Double {
      var time = timespec()
      return clock_gettime(clock, &time) == 0 ? Double(time.tv_sec) + Double(time.tv_nsec) / 1e9 : 0
    }
  }

  private var role: Role
  private let wattsPerCore: Double
  private var last: Moment

  package init(_ role: Role, wattsPerCore: Double, at moment: Moment = .now) {
    self.role = role
    self.wattsPerCore = wattsPerCore
    last = moment
  }

  /// Returns the energy since the last call.
  package mutating func lap(at moment: Moment = .now) -> Energy {
    let (seconds, cpu) = (max(0, moment.clock - last.clock), max(0, moment.cpu - last.cpu))
    last = moment
    switch role {
    case .silent: return Energy()
    case .model: return Energy(modelled: cpu * wattsPerCore)
    case .counters(var counters, let processes):
      let joules = counters.lap(seconds: seconds)
      role = .counters(counters, processes: processes)
      return joules.map { Energy(measured: $0) }
        ?? Energy(modelled: Double(processes) * cpu * wattsPerCore)
    }
  }

  /// An identifier of the running kernel, the same in all its containers; nil if the system does not
  /// tell.
  package static var kernel: String? {
    TextFile.contents("/proc/sys/kernel/random/boot_id").map { String($0.prefix { $0 != "\n" }) }
  }
}
