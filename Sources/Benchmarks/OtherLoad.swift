import Foundation
import Glibc

/// The load by programs other than the measured ones, and by other guests of the host.
///
/// A compiler that runs meanwhile can halve a figure and invert a ratio, without a trace in either.
struct OtherLoad {
  private let clock = ContinuousClock.now
  private let busy = OtherLoad.busySeconds()
  private let own = OtherLoad.ownSeconds()

  /// The fraction of all cores used by others since this value was created; 0 without /proc.
  func fraction() -> Double {
    let seconds = (ContinuousClock.now - clock) / .seconds(1)
    guard let before = busy, let now = OtherLoad.busySeconds(), seconds > 0 else { return 0 }
    let cores = Double(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    return max(0, (now - before) - (OtherLoad.ownSeconds() - own)) / (seconds * cores)
  }

  /// Core seconds that were not idle since the system started: the first line of /proc/stat has
  /// user, nice, system, idle, iowait, irq, softirq and steal.
  private static func busySeconds() -> Double? {
    guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8) else { return nil }
    return busySeconds(in: text, ticks: Double(sysconf(Int32(_SC_CLK_TCK))))
  }

  static func busySeconds(in text: String, ticks: Double) -> Double? {
    guard let line = text.split(separator: "\n").first, line.hasPrefix("cpu ") else { return nil }
    let numbers = line.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
    guard numbers.count == 8 else { return nil }
    return (numbers.reduce(0, +) - numbers[3] - numbers[4]) / ticks
  }

  /// CPU seconds of this process and of its terminated children.
  static func ownSeconds() -> Double {
    [RUSAGE_SELF.rawValue, RUSAGE_CHILDREN.rawValue].reduce(0) { sum, who in
      var usage = rusage()
      getrusage(__rusage_who_t(who), &usage)
      let times = [usage.ru_utime, usage.ru_stime]
      return sum + times.reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }
  }
}
