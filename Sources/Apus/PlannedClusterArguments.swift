import ArgumentParser
import DataParallel
import Files
import Glibc
import Launch
import Monitoring

/// The hosts of a plan and what is known of them.
struct PlannedClusterArguments: ParsableArguments {
  @Option(help: "Number of hosts, all like this one (default: 1).")
  var hosts: Int?

  @Option(help: "Hostfile whose hosts and slots are planned, instead of --hosts.")
  var hostfile: String?

  @Option(help: "Ranks of each host (default: 1 with --hosts, the slots of the hostfile).")
  var ranksPerHost: Int?

  @Option(help: "Threads per rank (default: cores of this machine ÷ ranks per host).")
  var threads: Int?

  @Option(
    help: "Gbit/s of a host's network interface (default: that of this machine's fastest, or 10).")
  var networkBandwidth: Double?

  @Option(help: "Microseconds that a small message takes between hosts.")
  var latency = 50.0

  @Option(help: "GiB of memory of each host (default: what is available on this one).")
  var memory: Double?

  @Option(help: "MB/s of the run folder's disk (default: measured).")
  var diskBandwidth: Double?

  @Option(
    help: "Mean hours between failures of one host (default: 6335, as Meta published for Llama 3).")
  var mtbf: Double?

  func validate() throws {
    if hosts != nil && hostfile != nil {
      throw ValidationError("--hosts and --hostfile exclude each other; give one of them.")
    }
    for (name, value) in [("--hosts", hosts), ("--ranks-per-host", ranksPerHost)] {
      try requireOneOrMore(value, of: name)
      if let value, value > 65536 {
        throw ValidationError("\(name) must be at most 65536, not \(value).")
      }
    }
    try requireOneOrMore(threads, of: "--threads")
    if let threads, threads > 4096 {
      throw ValidationError("--threads must be at most 4096, not \(threads).")
    }
    for (name, value) in [
      ("--network-bandwidth", networkBandwidth), ("--memory", memory),
      ("--disk-bandwidth", diskBandwidth), ("--mtbf", mtbf),
    ] where value.map({ !(1e-6..<1e9 ~= $0) }) ?? false {
      throw ValidationError("\(name) must be from 1e-6 to below 1e9, not \(value ?? 0).")
    }
    if !(0..<1e6).contains(latency) {
      throw ValidationError("--latency must be 0 to 1e6, not \(latency).")
    }
  }

  /// The hosts with what the machine tells of them, and the source of each figure in words.
  func resolved(cores: Int, runFolder: String?) throws -> (PlannedCluster, assumptions: [String]) {
    var (count, slots) = (hosts ?? 1, ranksPerHost ?? 1)
    if let hostfile {
      let all = try Hosts(hostfile: hostfile, ranks: ranksPerHost).all
      (count, slots) = (all.count, all.map(\.slots).max() ?? 1)
    }
    var assumptions: [String] = []
    let link = networkBandwidth.map { $0 * 1e9 / 8 } ?? LinkSpeed.fastest()
    if count > 1, networkBandwidth == nil {
      assumptions.append(
        link.map { "network of \(Int($0 * 8 / 1e9)) Gbit/s as this machine's" }
          ?? "network of 10 Gbit/s, since this machine tells no speed (--network-bandwidth)")
    }
    if count > 1 { assumptions.append("\(latency) µs of latency (--latency)") }
    var cluster = PlannedCluster(
      hosts: count, ranksPerHost: slots, threads: threads ?? max(1, cores / slots),
      networkBandwidth: link ?? 1.25e9, latency: latency / 1e6)
    if let diskBandwidth {
      cluster.diskBandwidth = diskBandwidth * 1e6
    } else if let measured = runFolder.flatMap({ DiskSpeed.measured(near: $0) }) {
      cluster.diskBandwidth = measured
    } else {
      assumptions.append("disk of \(Int(cluster.diskBandwidth / 1e6)) MB/s (--disk-bandwidth)")
    }
    if let mtbf {
      cluster.betweenFailures = mtbf * 3600
    } else {
      assumptions.append(
        "a failure of each host every \(Int(PlannedCluster.defaultHoursBetweenFailures.rounded())) hours, "
          + "as Meta published for Llama 3 (--mtbf)")
    }
    return (cluster, assumptions)
  }
}

/// The speed of a disk.
enum DiskSpeed {
  /// Returns the bytes per second of writing and syncing a file in the nearest folder above `path`
  /// that exists; nil when no file can be written there.
  ///
  /// The file is deleted.
  static func measured(near path: String) -> Double? {
    var folder = path
    while FileStatus(folder)?.kind != .folder {
      let parent = FileSystem.parent(of: folder)
      if parent == folder { return nil }
      folder = parent
    }
    let file = FileSystem.join(folder, ".apus-plan-\(getpid())")
    defer { try? FileSystem.removeTree(file) }
    let piece = [UInt8](repeating: 0x5A, count: 4 << 20)
    do {
      let output = try OutputFile(file)
      var (clock, bytes, seconds) = (Stopwatch(), 0.0, 0.0)
      repeat {
        for _ in 0..<4 { try output.write(piece) }
        try output.synchronize()
        bytes += Double(4 * piece.count)
        seconds += clock.lap()
      } while seconds < 0.2 && bytes < 256e6
      return bytes / seconds
    } catch {
      return nil
    }
  }
}
