import Glibc

/// The command line of `mpirun`, with the reason for each of its options.
package struct MpirunLine: Equatable, Sendable {
  /// The hosts, in the order of the ranks.
  package var hosts: Hosts
  /// The number of cores and threads of each rank; nil when the ranks of a host share its cores.
  package var threads: Int?
  /// The network of all hosts as an address range, such as 10.0.0.0/24; nil to let MPI choose.
  package var network: String?
  /// True to permit more threads than cores.
  package var oversubscribes = false
  /// The path of the program on every host.
  package var program: String
  /// The arguments of the program.
  package var arguments: [String]
  /// The variables of this process.
  package var environment: [String: String] = [:]
  /// The processors of this machine.
  package var processors = Processors.ofThisMachine

  package init(hosts: Hosts, program: String, arguments: [String]) {
    self.hosts = hosts
    self.program = program
    self.arguments = arguments
  }

  /// The number of ranks.
  package var ranks: Int { hosts.all.reduce(0) { $0 + $1.slots } }

  /// The words of the command line.
  package var words: [String] {
    var words = ["mpirun", "-np", "\(ranks)", "--host"]
    words.append(hosts.all.map { "\($0.name):\($0.slots)" }.joined(separator: ","))
    words += places

    // The ranks (btl) and the daemons that start them (oob) use one network, chosen by its address
    // range. By default Open MPI may try a bridge of docker or libvirt and hang.
    if let network {
      words += ["--mca", "btl_tcp_if_include", network, "--mca", "oob_tcp_if_include", network]
    }

    // Start every host from this one. The default, a tree, also needs ssh between the other hosts.
    words += ["--mca", "plm_rsh_no_tree_spawn", "1"]
    // A host that does not answer, or asks for a password, fails within seconds; of two values of an
    // option ssh takes the first.
    if environment["OMPI_MCA_plm_rsh_agent"] == nil {
      let own = environment["OMPI_MCA_plm_rsh_args"].map { $0 + " " } ?? ""
      words += ["--mca", "plm_rsh_args", own + "-o BatchMode=yes -o ConnectTimeout=10"]
    }

    // Detect a lost host after about 5 seconds instead of 8 minutes.
    words += ["--mca", "oob_tcp_keepalive_time", "2", "--mca", "oob_tcp_keepalive_intvl", "1"]
    words += ["--mca", "oob_tcp_keepalive_probes", "3"]

    // The time between the signals that end the ranks after one of them has failed, in seconds:
    // mpirun waits for it twice before it ends itself. Requests to stop come as SIGUSR2.
    words += ["--mca", "odls_base_sigkill_timeout", "1"]

    // Variables that choose kernels, or the faults of a test, must be those of this machine.
    for name in environment.keys.sorted()
    where Self.sharedPrefixes.contains(where: name.hasPrefix) && !Self.ownVariables.contains(name) {
      words += ["-x", name]
    }
    // A start in which a host is silent ends early, because another one follows.
    if environment["APUS_START_LIMIT"] == nil { words += ["-x", "APUS_START_LIMIT=120"] }

    // Containers often run as root, which Open MPI refuses without this option.
    if getuid() == 0 { words.append("--allow-run-as-root") }
    return words + [program] + arguments
  }

  /// The ranks of each host in order, each with cores of its own.
  private var places: [String] {
    if oversubscribes {
      // Waiting ranks must yield their cores.
      return ["--map-by", "slot", "--bind-to", "none", "--oversubscribe"]
        + ["--mca", "mpi_yield_when_idle", "1"]
    }
    // Without binding the ranks of a host divide its cores themselves.
    guard let threads else { return ["--map-by", "slot", "--bind-to", "none"] }
    let most = hosts.all.map(\.slots).max() ?? 1
    // When the ranks need more than the physical cores, hardware threads count as cores.
    let needsThreads = most * threads > processors.cores
    return ["--map-by", "slot:PE=\(threads)", "--bind-to", "core"]
      + (needsThreads ? ["--use-hwthread-cpus"] : [])
  }

  /// The beginnings of the names of variables that the ranks on all hosts get.
  private static let sharedPrefixes = ["APUS_", "OPENBLAS_", "ONEDNN_", "DNNL_"]
  /// Variables of apus that describe one process, not a run.
  private static let ownVariables: Set = ["APUS_RESTARTED", Self.launcherVariable]
  /// The variable with the process id of `apus launch`, for the ranks on its host.
  package static let launcherVariable = "APUS_LAUNCHER"

  /// The command line as a shell reads it.
  package var text: String { words.map(Self.quoted).joined(separator: " ") }

  /// Returns `word` in quotation marks if a shell would change it.
  static func quoted(_ word: String) -> String {
    let plain = word.unicodeScalars.allSatisfy {
      $0.properties.isAlphabetic || "0"..."9" ~= $0 || "-_./:=,@%+^".unicodeScalars.contains($0)
    }
    return plain && !word.isEmpty ? word : "'" + word.replacing("'", with: #"'\''"#) + "'"
  }
}
