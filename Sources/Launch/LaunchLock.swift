import Files
import Foundation

/// The file RUN/LAUNCH: at most one `apus launch` works on a run folder.
///
/// It is created atomically and holds a JSON object with host, process, time of the start and a
/// token. Its modification time is renewed every few seconds. It is stale when its process has ended
/// on this host, or when it is not renewed for ``staleSeconds`` while another launch looks.
package final class LaunchLock {
  /// The owner of a lock.
  package struct Holder: Codable, Equatable, Sendable {
    package let host: String
    package let process: Int32
    /// The time of the start, in seconds since 1970.
    package let start: Double
    /// A text that no other launch has.
    package let token: String
    /// The running kernel and its space of process ids, in which `process` means something.
    var machine: String?
    /// The launches that it has taken the folder from, and whose ranks may not have ended.
    var predecessors: [Predecessor]?
  }

  /// A launch whose lock was taken.
  struct Predecessor: Codable, Equatable, Sendable {
    let host: String
    let process: Int32
  }

  /// The time without a renewal after which a lock is stale, in seconds.
  static let staleSeconds = 30.0
  /// The time between two renewals, in seconds.
  static let renewal = 3.0

  package let path: String
  private let holder: Holder
  private let patience: Double
  private let madeFolders: [String]
  private var lastRenewal = ContinuousClock.now

  /// Takes the lock of the run folder `folder`, and creates the folder if it is missing.
  ///
  /// - Parameters:
  ///   - takesOver: True to take it from a live holder, whose launcher then ends its ranks.
  ///   - patience: The time without a renewal after which another lock is stale, in seconds.
  /// - Throws: ``LaunchError/held(path:by:)``.
  package init(
    folder: String, takesOver: Bool = false, patience: Double = staleSeconds
  ) throws {
    self.patience = patience
    madeFolders = try FileSystem.makeFolder(folder)
    path = FileSystem.join(folder, "LAUNCH")
    holder = Holder(
      host: Host.ownName, process: getpid(), start: Date().timeIntervalSince1970,
      token: UUID().uuidString, machine: Self.machine)
    for _ in 0..<5 {
      if try Self.create(holder.text, at: path) { return }
      try replace(takesOver: takesOver)
      if isHeld { return }
    }
    throw LaunchError.held(path: path, by: Self.holder(at: path))
  }

  /// Replaces the lock of another launch that is stale, or is to be taken over.
  private func replace(takesOver: Bool) throws {
    // A file without contents is being written by another launch at this moment.
    let other = Self.holder(at: path)
    guard
      takesOver
        || Self.isStale(other, at: path, patience: patience, seenFrom: holder.machine)
    else { throw LaunchError.held(path: path, by: other) }
    var own = holder
    if takesOver, let other {
      let all = (other.predecessors ?? []) + [.init(host: other.host, process: other.process)]
      own.predecessors = all.suffix(8)
    }
    let draft = "\(path).\(holder.token).tmp"
    _ = try Self.create(own.text, at: draft)
    defer { unlink(draft) }
    try FileSystem.rename(draft, to: path)
    // Another launch may replace a stale lock at the same time: the last one has it.
    usleep(200_000)
    guard takesOver else { return }
    for predecessor in own.predecessors ?? [] { predecessor.awaitEnd { isHeld } }
    // Of two that take it over at the same time, the first one gives way.
    guard isHeld else { throw LaunchError.overtaken(path: path, by: Self.holder(at: path)) }
  }

  /// The variable with ``token``, for the ranks of the launch.
  package static let tokenVariable = "APUS_LAUNCH_TOKEN"

  /// The text by which ranks know the launch that started them.
  package var token: String { holder.token }

  /// Refuses the run folder `folder` if a launch works on it that did not start this process.
  ///
  /// It looks for a renewal of the lock for some seconds.
  ///
  /// - Throws: ``LaunchError/held(path:by:)``.
  package static func requireNone(on folder: String, token: String?) throws(LaunchError) {
    let path = FileSystem.join(folder, "LAUNCH")
    guard let other = holder(at: path), other.token != token else { return }
    if !isStale(other, at: path, patience: 2 * renewal, seenFrom: machine) {
      throw .held(path: path, by: other)
    }
  }

  /// True while no other launch has taken the lock.
  package var isHeld: Bool { Self.holder(at: path)?.token == holder.token }

  /// True when another launch has taken the lock; a file that cannot be read does not show it.
  package var isLost: Bool { Self.holder(at: path).map { $0.token != holder.token } ?? false }

  /// Renews the lock every few seconds; returns false when it is lost.
  package func renew(at now: ContinuousClock.Instant = .now) -> Bool {
    guard now >= lastRenewal + .seconds(Self.renewal) else { return true }
    lastRenewal = now
    if isLost { return false }
    utimes(path, nil)
    return true
  }

  /// Removes the lock, unless another launch has taken it, and the folders that it alone made.
  package func release() {
    guard isHeld else { return }
    unlink(path)
    for folder in madeFolders.reversed() { rmdir(folder) }
  }

  /// Returns true when the holder has ended, or does not renew the lock.
  ///
  /// A live holder renews it every few seconds, so the answer takes as long. The time of the file is
  /// compared with no clock: those of two hosts may differ by hours.
  private static func isStale(
    _ other: Holder?, at path: String, patience: Double, seenFrom ownMachine: String?
  ) -> Bool {
    if let other, let machine = other.machine, machine == ownMachine,
      kill(other.process, 0) != 0, errno == ESRCH
    {
      return true
    }
    let (first, end) = (FileStatus(path)?.modified, ContinuousClock.now + .seconds(patience))
    let notice = ContinuousClock.now + .seconds(2 * renewal)
    var isNoticed = false
    while ContinuousClock.now < end {
      // Opening the file makes NFS ask the server.
      guard holder(at: path)?.token == other?.token, FileStatus(path)?.modified == first else {
        return false
      }
      if !isNoticed, ContinuousClock.now > notice {
        isNoticed = true
        StandardError.report(
          "\(path) is of a launch on \(other?.host ?? "an unknown host") that may have "
            + "ended; it is replaced after \(Int(patience)) seconds without a sign of it.")
      }
      usleep(100_000)
    }
    return true
  }

  /// The running kernel and its space of process ids; nil if the system does not tell.
  private static var machine: String? {
    guard let kernel = try? InputFile("/proc/sys/kernel/random/boot_id").contents(limit: 64),
      let space = FileStatus("/proc/self/ns/pid")?.identity
    else { return nil }
    return "\(String(decoding: kernel, as: UTF8.self).trimmed) \(space)"
  }

  /// Creates the file at `path`; returns false when there is one.
  private static func create(_ text: [UInt8], at path: String) throws(StorageError) -> Bool {
    do {
      var file = try OutputFile(path, flags: O_EXCL)
      try file.write(text)
      try file.close()
      return true
    } catch .call(_, _, EEXIST) {
      return false
    }
  }

  private static func holder(at path: String) -> Holder? {
    guard let bytes = try? InputFile.contents(of: path, limit: 4096) else { return nil }
    return try? JSONDecoder().decode(Holder.self, from: Data(bytes))
  }
}

extension LaunchLock.Holder {
  /// The contents of the file.
  fileprivate var text: [UInt8] {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      return Array(try encoder.encode(self)) + [0x0A]
    }
  }
}

extension LaunchLock.Predecessor {
  /// Waits until the launcher that lost its lock has ended its ranks, at most some seconds, and only as
  /// long as `isHeld`.
  fileprivate func awaitEnd(while isHeld: () -> Bool) {
    let isHere = host == Host.ownName
    let end = ContinuousClock.now + .seconds(isHere ? 15 : 2 * LaunchLock.renewal)
    while ContinuousClock.now < end, !isHere || kill(process, 0) == 0, isHeld() { usleep(50_000) }
  }
}
