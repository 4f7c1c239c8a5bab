import DataParallel
import Files
import Foundation
import Glibc
import MPI
import Synchronization

/// Two threads of every rank that end the run when a rank waits in vain.
///
/// One gives signs of life in the run folder, and reads those of the others while this rank waits;
/// the folder's file system may hang, and it alone hangs with it. The other judges once a second,
/// and ends all ranks with exit code 75 and a sentence that names rank, host, operation, step and
/// duration. Open MPI notices a process that ends and a host that is lost, but not one that is
/// frozen.
final class Watchdog: Sendable {
  private struct State {
    var signs: [RankSign] = []
    /// The moment at which the signs were read, in seconds.
    var readAt = 0.0
    var wantsOthers = false
    var isEnding = false
  }

  private let world: Communicator
  private let activity: RankActivity
  private let host: String
  /// The folder of the signs; nil with a single rank.
  private let folder: String?
  private let limit: Double
  private let state = Mutex(State())
  private let threads = Mutex<[pthread_t]>([])

  /// Starts to watch.
  ///
  /// - Parameters:
  ///   - signs: An existing folder, which all ranks share, for the signs of this attempt; nil with a
  ///     single rank.
  ///   - limit: The seconds without a sign of life after which a rank that others wait for ends the
  ///     run.
  init(
    world: Communicator, activity: RankActivity, host: String, signs folder: String?, limit: Double
  ) throws(WorkerPool.ThreadStartFailure) {
    self.world = world
    self.activity = activity
    self.host = host
    self.folder = folder
    self.limit = limit
    if let folder { giveSign(beat: 0, in: folder, flags: O_CREAT) }
    for body in folder == nil ? [watch] : [signal, watch] {
      let (thread, status) = Threads.start(core: nil, body)
      guard status == 0 else {
        end()
        throw .init(
          wanted: folder == nil ? 1 : 2, started: threads.withLock { $0.count }, code: status)
      }
      threads.withLock { $0.append(thread) }
    }
  }

  /// Ends the watch.
  func end() {
    state.withLock { $0.isEnding = true }
    // A thread that a hung file system holds is left behind.
    for thread in threads.withLock({ $0 }) { pthread_detach(thread) }
    if let folder { unlink(RankSign.path(rank: world.rank, in: folder)) }
  }

  private var isEnding: Bool { state.withLock { $0.isEnding } }

  private func sleep(_ seconds: Double) { usleep(UInt32(seconds * 1e6)) }

  private static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 }

  // MARK: Signs of life

  private func signal() {
    guard let folder else { return }
    for beat in 1... {
      sleep(min(2, limit / 15))
      if isEnding { return }
      giveSign(beat: beat, in: folder)
      guard state.withLock({ $0.wantsOthers }) else { continue }
      // A file system that does not even take this rank's own sign tells nothing of the others.
      guard readSign(of: world.rank, in: folder)?.beat == beat else { continue }
      let signs = (0..<world.size).compactMap { rank in
        rank == world.rank ? nil : readSign(of: rank, in: folder)
      }
      state.withLock { ($0.signs, $0.readAt) = (signs, Self.now) }
    }
  }

  /// Writes the sign of this rank; a failure is not an error, because the others judge by what they
  /// see.
  ///
  /// - Parameter flags: Those of `open` beside the usual ones; only the first sign creates the file,
  ///   so that none appears again after the end.
  private func giveSign(beat: Int, in folder: String, flags: Int32 = 0) {
    let bytes = activity.sign(of: world.rank, on: host, process: getpid(), beat: beat).bytes
    let descriptor = open(
      RankSign.path(rank: world.rank, in: folder), O_WRONLY | O_CLOEXEC | flags, 0o644)
    guard descriptor >= 0 else { return }
    _ = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    // Closing makes the bytes visible to the hosts of a network file system.
    close(descriptor)
  }

  private func readSign(of rank: Int, in folder: String) -> RankSign? {
    let path = RankSign.path(rank: rank, in: folder)
    return (try? InputFile(path).contents(limit: 4096)).flatMap(RankSign.init)
  }

  // MARK: Judgement

  private func watch() {
    var detector = StallDetector(limit: limit)
    while !isEnding {
      sleep(min(1, limit / 15))
      let now = Self.now
      let sign = activity.sign(of: world.rank, on: host, process: getpid(), beat: 0)
      let (signs, readAt) = state.withLock { ($0.signs, $0.readAt) }
      let isFresh = now - readAt < limit / 6
      let finding = detector.observe(sign, isFresh ? signs : [], at: now)
      let wantsOthers = detector.wantsOthers(at: now)
      state.withLock {
        $0.wantsOthers = wantsOthers
        if !wantsOthers { $0.signs = [] }
      }
      guard let finding, !isEnding else { continue }
      report(finding, sign)
    }
  }

  private func report(_ finding: StallDetector.Finding, _ own: RankSign) {
    let sentence = Self.sentence(finding, own)
    if case .waiting = finding { return Self.write(sentence) }
    // A full pipe can block the line, and MPI_Abort can hang with the daemon of this host.
    _ = Threads.start(core: nil) {
      usleep(5_000_000)
      _exit(75)
    }
    Self.write(sentence + "; the run ends with exit code 75, and the same command resumes it.")
    world.abort(code: 75)
  }

  /// Returns the sentence of a finding of the rank `own`, without its full stop where the run ends.
  static func sentence(_ finding: StallDetector.Finding, _ own: RankSign) -> String {
    let function = own.function ?? "a computation"
    switch finding {
    case .silent(let signs, let seconds):
      let names = signs.map { "\($0.name), last seen in \($0.place)," }.joined(separator: " and ")
      let verb = signs.count == 1 ? "has" : "have"
      return "\(names) \(verb) shown no sign of life for \(seconds.decimals(0)) seconds, and "
        + "\(own.name) waits in \(function) "
        + (own.step == 0 ? "before the first step" : "of step \(own.step)")
    case .network(let seconds):
      return "\(own.name): all ranks are in \(function), in \(own.place), and it has not completed "
        + "for \(seconds.decimals(0)) seconds: check the network between the hosts"
    case .stuck(let seconds):
      return "\(own.name) has made no progress in \(own.place) for \(seconds.decimals(0)) seconds"
    case .waiting(let sign, let seconds):
      return "\(own.name) has waited \(seconds.decimals(0)) seconds in \(function) for "
        + "\(sign.name), which is in \(sign.place)."
    }
  }

  private static func write(_ sentence: String) {
    var line = "apus: \(sentence)\n"
    line.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
