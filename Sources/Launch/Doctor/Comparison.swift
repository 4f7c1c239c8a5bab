import Files

/// The comparison between the hosts of a run.
package struct Comparison: Sendable {
  private let examinations: [Examination]
  /// The network that the user has chosen.
  private let network: String?
  /// The hosts that answered.
  private let present: [(host: String, report: HostReport)]

  package init(_ examinations: [Examination], network: String? = nil) {
    self.examinations = examinations
    self.network = network
    present = examinations.compactMap { examination in
      examination.report.map { (examination.host, $0) }
    }
  }

  /// The faults of every host alone and of their differences.
  package var findings: [Finding] {
    let alone = examinations.flatMap { examination -> [Finding] in
      guard var report = examination.report else { return [examination.failure].compactMap { $0 } }
      report.host = examination.host
      return report.findings(under: examination.load)
    }
    return alone + differences + kernels + speeds + clocks + networks + folders
  }

  // MARK: Program and libraries

  private var differences: [Finding] {
    let facts: [(name: String, remedy: String, value: (HostReport) -> String)] = [
      (
        "apus", "put one program at the same path on every host, best in a folder that all mount",
        { $0.program.identity }
      ),
      ("MPI library", "run cluster/setup.sh on equal systems", { $0.program.mpi }),
      ("OpenBLAS", "install the same version of libopenblas0 on every host", { $0.blasVersion }),
      (
        "oneDNN", "install the same version of libdnnl on every host",
        { $0.arithmetic.bf16.split(separator: " ").prefix(2).joined(separator: " ") }
      ),
      ("C library", "run the same release of the system on every host", { $0.program.cLibrary }),
    ]
    return facts.flatMap { fact -> [Finding] in
      guard let usual = usual(fact.value) else { return [] }
      return present.filter { fact.value($0.report) != fact.value(usual.report) }.map {
        Finding(
          .defect, [$0.host],
          "another \(fact.name) than on \(usual.host): \(fact.value($0.report)), not "
            + fact.value(usual.report),
          why: "the weights would depend on the host; the ranks refuse to start together",
          remedy: fact.remedy)
      }
    }
  }

  /// Returns the first host with the value that most hosts have; nil without hosts.
  private func usual<Value: Hashable>(
    _ value: (HostReport) -> Value
  ) -> (host: String, report: HostReport)? {
    let counts = present.reduce(into: [Value: Int]()) { $0[value($1.report), default: 0] += 1 }
    let most = counts.values.max()
    return present.first { counts[value($0.report)] == most }
  }

  private var kernels: [Finding] {
    guard let first = usual(\.kernels) else { return [] }
    let others = present.filter { $0.report.kernels != first.report.kernels }
    if others.isEmpty { return [] }
    let isOfBLASAlone = others.allSatisfy {
      $0.report.kernels.dropFirst() == first.report.kernels.dropFirst()
    }
    let levels = present.map(\.report.arithmetic.level)
    let settings =
      isOfBLASAlone
      ? (levels.contains("x86-64-v4")
        ? "OPENBLAS_CORETYPE=SkylakeX" : "OPENBLAS_CORETYPE=Haswell")
      : levels.contains("default")
        ? "APUS_CPU_LEVEL=default OPENBLAS_CORETYPE=Nehalem ONEDNN_MAX_CPU_ISA=SSE41"
        : "APUS_CPU_LEVEL=x86-64-v3 OPENBLAS_CORETYPE=Haswell ONEDNN_MAX_CPU_ISA=AVX2"
    let names = settings.split(separator: " ").map { "-x \($0.prefix { $0 != "=" })" }
    return [
      Finding(
        .defect, others.map(\.host),
        "other CPU kernels (\(others[0].report.kernels.joined(separator: ", "))) than on "
          + "\(first.host) (\(first.report.kernels.joined(separator: ", ")))",
        why: "the weights would depend on the host; the ranks refuse to start together",
        remedy: variableRemedy
          ?? "use hosts of one CPU type, or everywhere the slower kernels that all have: export "
          + "\(settings); mpirun \(names.joined(separator: " "))")
    ]
  }

  /// The remedy where hosts have other variables that choose kernels; nil where these are equal.
  private var variableRemedy: String? {
    let sets = present.map { ($0.host, $0.report.arithmetic.variables) }
    guard Set(sets.map(\.1)).count > 1 else { return nil }
    let unequal = sets.filter { !$0.1.isEmpty }.map { host, variables in
      "\(host) (unset \(variables.keys.sorted().joined(separator: " ")))"
    }
    return
      "the environments differ: remove the variables from \(unequal.joined(separator: ", ")), or "
      + "give them to all ranks with mpirun -x"
  }

  private var speeds: [Finding] {
    let rates = present.map { ($0.host, $0.report.arithmetic.products(in: "fp32")?.median ?? 0) }
    let fastest = rates.map(\.1).max() ?? 0
    return rates.filter { $0.1 > 0 && $0.1 < 0.7 * fastest }.map {
      Finding(
        .warning, [$0.0],
        "fp32 products reach \($0.1.gigaflops) per core, and \(fastest.gigaflops) on the fastest "
          + "host",
        why: "all hosts wait for the slowest one in every step",
        remedy: "end other programs there, or leave the host out")
    }
  }

  // MARK: Clocks

  private var clocks: [Finding] {
    examinations.compactMap { examination in
      guard let clock = examination.clock, abs(clock.offset) - clock.error > 1 else { return nil }
      let isFar = abs(clock.offset) > 10
      let seconds = abs(clock.offset).decimals(abs(clock.offset) < 10 ? 1 : 0)
      return Finding(
        isFar ? .defect : .warning, [examination.host],
        "its clock is \(seconds) s \(clock.offset > 0 ? "ahead of" : "behind") this machine's",
        why: "times of files and logs contradict each other, and a shared file system may show old "
          + "files",
        remedy: "apt-get install chrony && chronyc makestep, on that host")
    }
  }

  // MARK: Shared folder

  private var folders: [Finding] {
    // One host stands for all that share its folder.
    let reference = examinations.first { $0.folder.map { $0.refusal == nil } ?? false }?.host ?? ""
    let apart = examinations.filter { $0.folder?.unseen.contains(reference) ?? false }.map(\.host)
    return examinations.flatMap { examination -> [Finding] in
      guard let folder = examination.folder else { return [] }
      let host = [examination.host]
      if let refusal = folder.refusal {
        return [
          Finding(
            .defect, host, "the folder \(folder.path) cannot be written: \(refusal)",
            why: "every rank writes its part of a checkpoint there",
            remedy: folder.volume.free < SharedFolderProbe.bytes
              ? "free some space there, or name another folder with run:"
              : "mount it there at the same path with write permission, or name another with run:")
        ]
      }
      var findings: [Finding] = []
      let unseen =
        apart.contains(examination.host)
        ? [reference] : folder.unseen.filter { !apart.contains($0) }
      if !unseen.isEmpty {
        findings.append(
          Finding(
            .defect, host,
            "the folder \(folder.path) (\(folder.volume.type)) does not show what "
              + "\(unseen.joined(separator: ", ")) wrote \(Int(SharedFolderProbe.patience)) s "
              + "ago",
            why: "a run whose hosts do not share its folder is refused at its start, or cannot "
              + "resume",
            remedy:
              "mount one file system (such as NFS) at this path on all hosts, and name it with "
              + "run:"))
      }
      if folder.volume.free < 1 << 30 {
        findings.append(
          Finding(
            .warning, host, "\(folder.volume.free.mebibytes) are free in \(folder.path)",
            why:
              "checkpoints need room: twelve bytes a parameter, and one more while it is written",
            remedy: "free some space, or name another folder with run:", kind: "room"))
      }
      if folder.speed < 2e7 {
        findings.append(
          Finding(
            .warning, host,
            "\(folder.path) (\(folder.volume.type)) takes \((folder.speed / 1e6).decimals(1)) MB/s",
            why: "a checkpoint of a model with 100 million parameters takes a minute or more",
            remedy: "use a faster file system, or raise checkpoint.every", kind: "speed"))
      }
      return findings
    }
  }
}

extension HostReport {
  /// The version of OpenBLAS without the name of its kernels, which is in some versions.
  fileprivate var blasVersion: String {
    arithmetic.blas.split(separator: " ").filter { $0 != arithmetic.blasCore }
      .joined(separator: " ")
  }

  /// The kernels on which the bits depend: of OpenBLAS, of Apus, of oneDNN.
  fileprivate var kernels: [String] {
    [
      arithmetic.blasCore, arithmetic.level,
      arithmetic.bf16.split(separator: " ").dropFirst(2).joined(separator: " "),
    ]
  }
}

// MARK: Networks

extension Comparison {
  /// The range of addresses in which every host has another address; nil without one.
  ///
  /// Bridges of containers (docker0, virbr0) have the same address on every host.
  package var commonNetwork: String? { commonNetworks.first }

  private var commonNetworks: [String] {
    guard let first = present.first else { return [] }
    let networks = first.report.interfaces.map(\.network)
    return networks.filter { network in
      let addresses = present.compactMap { host in
        host.report.interfaces.first { $0.network == network }?.address
      }
      return addresses.count == present.count && Set(addresses).count == addresses.count
    }
  }

  fileprivate var networks: [Finding] {
    guard present.count > 1 else { return [] }
    let why =
      "Open MPI tries every address that two hosts seem to share, and hangs on one that leads nowhere"
    if let network {
      return present.filter { host in
        !host.report.interfaces.contains { $0.isWithin(network) }
      }.map {
        Finding(
          .defect, [$0.host], "no address in the network \(network)",
          why: "the ranks of a run use this network alone",
          remedy: commonNetwork.map { "--network \($0)" } ?? "ip address, and give it one")
      }
    }
    guard let common = commonNetwork else {
      return [
        Finding(
          .warning, present.map(\.host), "no network has an address of each",
          why: "the ranks exchange gradients over routes between networks, if there are any",
          remedy: "ip -brief address on each host; give them addresses of one range")
      ]
    }
    return present.compactMap { host in
      let others = host.report.interfaces.filter { $0.network != common }
      guard !others.isEmpty else { return nil }
      let names = others.map { "\($0.name) \($0.network)" }.joined(separator: ", ")
      return Finding(
        .warning, [host.host], "further networks beside \(common): \(names)", why: why,
        remedy: "apus launch --network \(common), or mpirun --mca btl_tcp_if_include \(common) "
          + "--mca oob_tcp_if_include \(common)")
    }
  }
}
