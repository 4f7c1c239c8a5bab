import Files
import Foundation
import Glibc

/// The connection between rank 0 and another rank, as `apus doctor exchange` measures it.
package struct Link: Codable, Equatable, Sendable {
  /// The name that MPI has for the other host.
  package let host: String
  /// Seconds of a message without content, one way.
  package let latency: Double
  /// Bytes per second of a large message, one way.
  package let bandwidth: Double

  package init(host: String, latency: Double, bandwidth: Double) {
    self.host = host
    self.latency = latency
    self.bandwidth = bandwidth
  }

  /// ``bandwidth`` as text.
  var speed: String {
    bandwidth < 1e9
      ? "\((bandwidth / 1e6).decimals(0)) MB/s" : "\((bandwidth / 1e9).decimals(1)) GB/s"
  }
}

/// A short exchange of messages under `mpirun`: the proof that ranks start on all hosts and reach each
/// other, and the speed of their connections.
package struct Exchange: Sendable {
  /// The command line of `mpirun`.
  package let words: [String]
  /// The hosts, in the order of their ranks; one with two ranks stands alone.
  private let hosts: [String]

  /// The seconds after which `mpirun` gives up.
  private static let seconds = 12

  /// - Parameters:
  ///   - hosts: One rank for each, or two for a single one.
  ///   - shell: The program that starts commands on other hosts.
  ///   - network: The network of all hosts; nil for all that Open MPI finds.
  ///   - program: The path of apus.
  ///   - library: The name and version of its MPI library.
  package init(
    hosts: [String], shell: RemoteShell, network: String?, program: String, library: String
  ) {
    self.hosts = hosts
    let slots = hosts.count == 1 ? 2 : 1
    var words = ["mpirun", "-np", "\(max(2, hosts.count))"]
    let places = hosts.map { "\($0):\(slots)" }.joined(separator: ",")
    let command = [program, "doctor", "exchange", "--threads", "1", "--oversubscribe"]
    if MPIVersion(library)?.usesHydra == true {
      // Hydra binds no rank, permits root, and has no choice of a network by its addresses.
      words += ["-hosts", places]
      if shell.words != ["ssh"] { words += ["-launcher-exec", shell.words[0]] }
      self.words = words + command
      return
    }
    words += ["--host", places]
    words += ["--map-by", "node", "--bind-to", "none", "--timeout", "\(Self.seconds)"]
    if geteuid() == 0 { words.append("--allow-run-as-root") }
    if shell.words != ["ssh"] {
      words += ["--mca", "plm_rsh_agent", shell.words.joined(separator: " ")]
    }
    words += ["--mca", "plm_rsh_no_tree_spawn", "1"]
    if let network {
      words += ["--mca", "btl_tcp_if_include", network, "--mca", "oob_tcp_if_include", network]
    }
    self.words = words + command
  }

  /// Runs it: the connections of rank 0, and the faults.
  package func measure() -> (links: [Link], findings: [Finding]) {
    // The time limit of hydra is a variable.
    let outcome = Tool.run(
      words, variables: ["MPIEXEC_TIMEOUT": "\(Self.seconds)"], seconds: Double(Self.seconds) + 5)
    let text = outcome?.output.split(whereSeparator: \.isNewline).last { $0.hasPrefix("[{") }
    let links = text.flatMap { try? JSONDecoder().decode([Link].self, from: Data($0.utf8)) } ?? []
    return (links, findings(of: outcome, links))
  }

  func findings(of outcome: Tool.Outcome?, _ links: [Link]) -> [Finding] {
    let isLocal = hosts.count == 1
    guard let outcome, outcome.code == 0, links.count == max(1, hosts.count - 1) else {
      let isLate =
        outcome.map {
          $0.errors.contains("time limit for job execution")
            || ($0.output + $0.errors).contains("APPLICATION TIMED OUT")
        } ?? true
      let cause = isLate ? "no end after \(Self.seconds) s" : outcome?.firstError ?? ""
      return [
        Finding(
          .defect, hosts, "two ranks or more do not start together under mpirun: \(cause)",
          why: "a run would fail or hang at its start in the same way",
          remedy: words.map(\.quoted).joined(separator: " ") + " shows the whole message")
      ]
    }
    return zip(isLocal ? hosts : Array(hosts.dropFirst()), links).flatMap { host, link in
      var findings: [Finding] = []
      if link.bandwidth < (isLocal ? 5e8 : 1e8) {
        findings.append(
          Finding(
            .warning, [host],
            isLocal
              ? "two ranks exchange \(link.speed) through shared memory"
              : "the network from \(hosts[0]) carries \(link.speed)",
            why: "every step moves nearly twice the gradient (8 bytes a parameter) through it",
            remedy: isLocal
              ? "end other programs, and see that /dev/shm is a tmpfs"
              : "ethtool shows the speed of the interface; name a faster network with --network, or "
                + "raise the tokens of a step (batch.microBatches)", kind: "bandwidth"))
      }
      if link.latency > 1e-3 {
        findings.append(
          Finding(
            .warning, [host],
            "a message from \(hosts[0]) takes \((link.latency * 1e3).decimals(1)) ms",
            why: "every step waits for tens of messages, one after another",
            remedy: isLocal
              ? "end other programs: ranks wait for their cores"
              : "ping \(host) from \(hosts[0]); use hosts of one network, without VPN or wireless",
            kind: "latency"))
      }
      return findings
    }
  }
}
