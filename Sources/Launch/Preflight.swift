import Files
import Synchronization

/// The check of hosts before ranks are started on them, by the probe of `apus doctor` without its
/// measurements of speed.
struct Preflight: Sendable {
  /// The hosts that were found sound, and with them the state of those that are compared later.
  private var sound: [Examination] = []

  /// Examines those of `hosts` that are not known as sound; returns the defects that are found.
  ///
  /// It takes about a second, and twelve with a host that does not answer.
  mutating func defects(of hosts: Hosts, for plan: LaunchPlan, folder: String) -> [Finding] {
    let known = Set(sound.map(\.host))
    let new = hosts.all.filter { !known.contains($0.name) }
    if new.isEmpty { return [] }
    // A sound host sees whether a new one shares its folder.
    let witness = hosts.all.first { known.contains($0.name) }
    var examiner = HostExaminer(
      hosts: Hosts([witness].compactMap { $0 } + new),
      shell: RemoteShell(environment: plan.environment), program: plan.program, folder: folder,
      runFolder: plan.folder.map {
        HostReport.Volume(at: $0.hasPrefix("/") ? $0 : FileSystem.join(folder, $0)).path
      },
      threads: plan.threads, knowsRanks: !plan.oversubscribes)
    examiner.measuresSpeeds = false
    let found = examiner.examine()
    sound.removeAll { $0.host == witness?.name }
    let defects = Comparison(sound + found, network: plan.network).findings
      .filter { $0.severity == .defect }
    let names = Set(defects.flatMap(\.hosts))
    sound += found.filter { !names.contains($0.host) }
    return Finding.joined(defects)
  }

  /// Lets `host` be examined again before its next use.
  mutating func forget(_ host: String) { sound.removeAll { $0.host == host } }
}

/// The result of a check on another thread; nil until it is there.
final class PreflightExamination: Sendable {
  let result = Mutex<(Preflight, [Finding])?>(nil)
}
