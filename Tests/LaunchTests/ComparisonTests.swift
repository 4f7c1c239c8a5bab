import Foundation
import Glibc
import TestFolders
import Testing

@testable import Launch

/// Each difference between hosts has its finding and its remedy.
@Suite struct ComparisonTests {
  /// Three healthy hosts with addresses of one network.
  private static func hosts() -> [Examination] {
    ["a", "b", "c"].enumerated().map { place, name in
      var examination = Examination(
        host: name,
        report: .healthy("other").with {
          $0.interfaces = [NetworkInterface("eth0", "10.0.0.\(place + 1)/24")].compactMap { $0 }
        })
      examination.clock = .init(offset: 0.01, error: 0.02)
      examination.folder = FolderFacts(
        path: "/work/runs",
        volume: .init(path: "/work", type: "nfs4", size: 1 << 40, free: 1 << 39), speed: 2e8)
      return examination
    }
  }

  /// The only finding after a change of the hosts.
  private func finding(
    network: String? = nil, _ change: (inout [Examination]) -> Void
  ) throws -> Finding {
    var examinations = Self.hosts()
    change(&examinations)
    let findings = Finding.joined(Comparison(examinations, network: network).findings)
    try #require(findings.count == 1, "\(findings.map(\.what))")
    return findings[0]
  }

  /// The only finding after a change of the second host.
  private func finding(
    network: String? = nil, b change: (inout HostReport) -> Void
  ) throws -> Finding {
    try finding(network: network) { $0[1].report = $0[1].report?.with(change) }
  }

  private func expect(
    _ finding: Finding, _ severity: Finding.Severity, _ hosts: [String], _ what: String,
    _ remedy: String
  ) {
    #expect(finding.severity == severity && finding.hosts == hosts, "\(finding)")
    #expect(finding.what.contains(what), "\(finding.what)")
    #expect(finding.remedy.contains(remedy), "\(finding.remedy)")
  }

  @Test func equalHostsHaveNoFinding() {
    #expect(Comparison(Self.hosts()).findings == [])
    #expect(Comparison(Self.hosts(), network: "10.0.0.0/24").findings == [])
    #expect(Comparison(Self.hosts()).commonNetwork == "10.0.0.0/24")
    #expect(Comparison([]).findings == [])
  }

  /// A finding has the name of the hostfile, not the host's own.
  @Test func findingsOfOneHostHaveItsNameInTheHostfile() throws {
    let finding = try finding(b: { $0.program.mpirun = nil })
    expect(finding, .defect, ["b"], "PATH has no mpirun", "openmpi-bin")
  }

  @Test func anotherProgramOrLibrary() throws {
    expect(
      try finding(b: { $0.program.identity = "0.1.0 def" }), .defect, ["b"],
      "another apus than on a: 0.1.0 def, not 0.1.0 abc", "one program at the same path")
    expect(
      try finding(b: { $0.program.cLibrary = "2.41" }), .defect, ["b"],
      "another C library than on a: 2.41, not 2.36", "same release")
    expect(
      try finding(b: { $0.arithmetic.blas = "OpenBLAS 0.3.30" }), .defect, ["b"],
      "another OpenBLAS than on a", "libopenblas0")
    expect(
      try finding(b: { $0.arithmetic.bf16 = "oneDNN 3.1.0 isa 3f" }), .defect, ["b"],
      "another oneDNN than on a: oneDNN 3.1.0, not oneDNN 2.6.3", "libdnnl")
    let mpi = try finding(b: {
      $0.program.mpi = "Open MPI v5.0.1"
      $0.program.mpirunVersion = "mpirun (Open MPI) 5.0.1"
    })
    expect(mpi, .defect, ["b"], "another MPI library than on a: Open MPI v5.0.1", "setup.sh")
  }

  /// The host that differs is named, also when it is the first.
  @Test func mostHostsAreTheReference() throws {
    let program = try finding { $0[0].report?.program.identity = "0.1.0 def" }
    expect(
      program, .defect, ["a"], "another apus than on b: 0.1.0 def, not 0.1.0 abc", "one program")
    let kernels = try finding { $0[0].report?.arithmetic.blasCore = "Zen" }
    expect(kernels, .defect, ["a"], "(Zen, x86-64-v4, isa 3f) than on b", "SkylakeX")
  }

  @Test func otherKernelsAndTheSettingThatMakesThemEqual() throws {
    let blas = try finding(b: {
      $0.arithmetic.blasCore = "Zen"
      $0.arithmetic.blas = "OpenBLAS 0.3.21 Zen"
    })
    expect(
      blas, .defect, ["b"], "other CPU kernels (Zen, x86-64-v4, isa 3f) than on a (SkylakeX,",
      "export OPENBLAS_CORETYPE=SkylakeX; mpirun -x OPENBLAS_CORETYPE")
    let older = try finding(b: {
      $0.arithmetic.blasCore = "Haswell"
      $0.arithmetic.level = "x86-64-v3"
    })
    expect(
      older, .defect, ["b"], "(Haswell, x86-64-v3, isa 3f)",
      "export APUS_CPU_LEVEL=x86-64-v3 OPENBLAS_CORETYPE=Haswell ONEDNN_MAX_CPU_ISA=AVX2; mpirun "
        + "-x APUS_CPU_LEVEL -x OPENBLAS_CORETYPE -x ONEDNN_MAX_CPU_ISA")
    let isa = try finding(b: { $0.arithmetic.bf16 = "oneDNN 2.6.3 isa e7" })
    expect(isa, .defect, ["b"], "isa e7", "APUS_CPU_LEVEL=x86-64-v3")
    let environment = try finding(b: {
      $0.arithmetic.blasCore = "Haswell"
      $0.arithmetic.variables = ["OPENBLAS_CORETYPE": "Haswell"]
    })
    expect(
      environment, .defect, ["b"], "(Haswell, ",
      "remove the variables from b (unset OPENBLAS_CORETYPE), or")
    let oldest = try finding(b: { $0.arithmetic.level = "default" })
    expect(oldest, .defect, ["b"], "default", "APUS_CPU_LEVEL=default")
  }

  @Test func aSlowHost() throws {
    let slow = try finding(b: {
      $0.arithmetic.peak = 6e10
      $0.arithmetic.products = ["fp32", "bf16"].map {
        HostReport.ProductFacts(precision: $0, rates: [.init(core: 0, flops: 5e10)])
      }
    })
    expect(
      slow, .warning, ["b"], "50 GFLOP/s per core, and 100 GFLOP/s on the fastest host", "leave")
  }

  @Test func clocks() throws {
    let hour = try finding { $0[2].clock = .init(offset: 3600.2, error: 0.1) }
    expect(hour, .defect, ["c"], "its clock is 3600 s ahead of this machine's", "chronyc makestep")
    let little = try finding { $0[2].clock = .init(offset: -2.5, error: 0.1) }
    expect(little, .warning, ["c"], "its clock is 2.5 s behind", "chrony")
    var unsure = Self.hosts()
    unsure[1].clock = .init(offset: 3, error: 2.5)
    #expect(Comparison(unsure).findings == [], "within the error of the measurement")
  }

  @Test func networks() throws {
    func add(_ interface: String, _ name: String, to place: Int, _ all: inout [Examination]) {
      all[place].report?.interfaces.insert(
        contentsOf: [NetworkInterface(name, interface)].compactMap { $0 }, at: 0)
    }
    // The bridge of docker has one address everywhere, and comes first.
    let docker = try finding {
      for place in 0..<3 { add("172.17.0.1/16", "docker0", to: place, &$0) }
    }
    expect(
      docker, .warning, ["a", "b", "c"],
      "further networks beside 10.0.0.0/24: docker0 172.17.0.0/16", "--network 10.0.0.0/24")
    #expect(docker.remedy.contains("--mca btl_tcp_if_include 10.0.0.0/24"))
    let apart = try finding(b: { $0.interfaces = [NetworkInterface("e", "10.9.0.1/24")!] })
    // Routes may lead between them, which the exchange of messages shows.
    expect(apart, .warning, ["a", "b", "c"], "no network has an address of each", "ip -brief")
    let chosen = try finding(
      network: "10.0.0.0/24", b: { $0.interfaces = [NetworkInterface("e", "10.9.0.1/24")!] })
    expect(chosen, .defect, ["b"], "no address in the network 10.0.0.0/24", "ip address")
    let range = Comparison(Self.hosts(), network: "10.0.0.0/16").findings
    #expect(range == [], "a range may be wider than the networks of the hosts")
    let narrow = Comparison(Self.hosts(), network: "10.0.0.0/31").findings.map(\.hosts)
    #expect(narrow == [["b"], ["c"]])
    // Alone a host needs no network.
    var one = [Self.hosts()[0]]
    one[0].report?.interfaces = []
    #expect(Comparison(one).findings == [])
  }

  @Test func theSharedFolder() throws {
    let refused = try finding { $0[1].folder?.refusal = "permission denied" }
    expect(refused, .defect, ["b"], "/work/runs cannot be written: permission denied", "mount")
    let noRoom = try finding {
      $0[1].folder?.refusal = "No space left on device"
      $0[1].folder?.volume.free = 0
    }
    #expect(noRoom.remedy.hasPrefix("free some space there"), "\(noRoom)")
    let apart = try finding {
      $0[1].folder?.unseen = ["a", "c"]
      $0[1].folder?.volume.type = "ext4"
    }
    expect(apart, .defect, ["b"], "(ext4) does not show what a wrote 3 s ago", "mount one file")
    // All others do not see what b wrote, which needs no finding of its own.
    let mutual = try finding {
      $0[0].folder?.unseen = ["b"]
      $0[1].folder?.unseen = ["a", "c"]
      $0[2].folder?.unseen = ["b"]
    }
    expect(mutual, .defect, ["b"], "does not show what a wrote", "mount")
    let three = try finding { $0[1].folder?.unseen = ["c"] }
    expect(three, .defect, ["b"], "does not show what c wrote", "mount")
    let full = try finding { $0[1].folder?.volume.free = 5 << 20 }
    expect(full, .warning, ["b"], "5 MiB are free in /work/runs", "free some space")
    let slow = try finding { $0[1].folder?.speed = 3e6 }
    expect(slow, .warning, ["b"], "takes 3.0 MB/s", "checkpoint.every")
  }

  // MARK: Hosts without an answer

  private func failure(_ code: Int32, _ errors: String) -> Finding {
    RemoteShell(["ssh"]).finding(
      of: .init(code: code, errors: errors), host: Host(name: "b", slots: 1), folder: "/w",
      program: "/w/apus")
  }

  @Test func errorsOfSSHAreClassified() {
    for (errors, what, remedy) in [
      (
        "ssh: Could not resolve hostname b: Name or service not known", "no address",
        "getent hosts b"
      ),
      ("ssh: connect to host b port 22: Connection refused", "ssh is refused", "systemctl"),
      ("ssh: connect to host b port 22: Connection timed out", "within 5 s", "ping b"),
      ("ssh: connect to host b port 22: No route to host", "no network", "ip route get b"),
      (
        "No ED25519 host key is known for b\nHost key verification failed.", "unknown",
        "ssh-keyscan b"
      ),
      (
        "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
        "another one than before", "ssh-keygen -R b"
      ),
      ("root@b: Permission denied (publickey,password).", "password", "ssh-copy-id b"),
    ] {
      expect(failure(255, errors), .defect, ["b"], what, remedy)
    }
    let library = "/w/apus: error while loading shared libraries: libmpi.so.40: cannot open"
    expect(failure(127, library), .defect, ["b"], "(libmpi.so.40)", "cluster/setup.sh")
    expect(failure(91, ""), .defect, ["b"], "the folder /w is missing", "mount")
    expect(failure(92, ""), .defect, ["b"], "/w/apus is missing", "rsync -a /w/apus b:/w/apus")
    expect(failure(3, "odd words\n"), .defect, ["b"], "code 3 (odd words)", "ssh b true")
    let silent = RemoteShell(["ssh"]).finding(
      of: nil, host: Host(name: "b", slots: 1), folder: "/w", program: "/w/apus")
    expect(silent, .defect, ["b"], "no answer to ssh", "ssh b true")
  }

  @Test func theCommandOnAnotherHost() {
    let host = Host(name: "b", slots: 1)
    let ssh = RemoteShell(["ssh"]).command(
      on: host, folder: "/w it's", program: "/w/apus", arguments: ["doctor", "probe"])
    #expect(ssh.contains("BatchMode=yes") && ssh.contains("ConnectTimeout=5"))
    #expect(
      ssh.suffix(2) == [
        "b",
        #"cd '/w it'\''s' || exit 91; test -x /w/apus || exit 92; exec /w/apus doctor probe"#,
      ])
    let agent = RemoteShell(["sh", "agent"]).command(
      on: host, folder: "/", program: "/a", arguments: [])
    #expect(agent.prefix(3) == ["sh", "agent", "b"])
    let own = RemoteShell(["ssh"]).command(
      on: Host(name: Host.ownName, slots: 1), folder: "/", program: "/a", arguments: ["x"])
    #expect(own == ["/a", "x"])
  }

  @Test func theAgentOfMpirun() {
    let path = "/usr/bin:/bin"
    #expect(RemoteShell(environment: ["PATH": path]).words == ["ssh"])
    let agent = ["PATH": path, "OMPI_MCA_plm_rsh_agent": "none -x : sh -e : ssh"]
    #expect(RemoteShell(environment: agent).words == ["sh", "-e"])
    let options = ["PATH": path, "OMPI_MCA_plm_rsh_args": "-o ConnectionAttempts=10"]
    #expect(RemoteShell(environment: options).words == ["ssh", "-o", "ConnectionAttempts=10"])
  }

  /// In a job of Slurm hosts are reached as mpirun reaches them, which may not permit ssh.
  @Test func slurm() throws {
    let folder = try TemporaryFolder()
    try Data("#!/bin/sh\n".utf8).write(to: URL(fileURLWithPath: "\(folder.path)/srun"))
    chmod("\(folder.path)/srun", 0o755)
    var environment = ["PATH": "/bin:\(folder.path)", "SLURM_JOB_ID": "7"]
    let shell = RemoteShell(environment: environment)
    #expect(shell.words.first == "srun" && shell.words.last == "-w", "\(shell.words)")
    let words = shell.command(
      on: Host(name: "b", slots: 1), folder: "/w", program: "/a", arguments: [])
    #expect(words.suffix(4).dropLast() == ["b", "/bin/sh", "-c"])
    environment["SLURM_JOB_ID"] = nil
    #expect(RemoteShell(environment: environment).words == ["ssh"])
    environment["SLURM_JOB_ID"] = "7"
    environment["OMPI_MCA_plm_rsh_agent"] = "/bin/sh"
    #expect(RemoteShell(environment: environment).words == ["/bin/sh"])
  }
}

/// The exchange of messages between the hosts.
@Suite struct ExchangeTests {
  private func exchange(_ hosts: [String], library: String = "Open MPI v4.1.4") -> Exchange {
    Exchange(
      hosts: hosts, shell: RemoteShell(["./agent", "-v"]), network: "10.0.0.0/24", program: "/apus",
      library: library)
  }

  @Test func theCommandLineOfMpirun() {
    let words = exchange(["a", "b"]).words.joined(separator: " ")
    for part in [
      "mpirun -np 2 --host a:1,b:1", "--mca plm_rsh_agent ./agent -v",
      "--mca btl_tcp_if_include 10.0.0.0/24", "/apus doctor exchange",
    ] { #expect(words.contains(part), "\(words)") }
    #expect(exchange(["a"]).words.joined(separator: " ").contains("-np 2 --host a:2 "))
  }

  @Test func theCommandLineOfHydra() {
    #expect(
      exchange(["a", "b"], library: "MPICH 4.0.2").words.joined(separator: " ")
        == "mpirun -np 2 -hosts a:1,b:1 -launcher-exec ./agent /apus doctor exchange --threads 1 "
        + "--oversubscribe")
    let late = Tool.Outcome(code: 1, output: "APPLICATION TIMED OUT, TIMEOUT = 12s\n")
    #expect(
      exchange(["a"], library: "MPICH 4.0.2").findings(of: late, [])[0].what
        .hasSuffix("no end after 12 s"))
  }

  @Test func slowConnections() {
    let fast = Link(host: "b", latency: 5e-5, bandwidth: 1e9)
    let ended = Tool.Outcome(code: 0)
    #expect(exchange(["a", "b"]).findings(of: ended, [fast]) == [])
    let slow = exchange(["a", "b", "c"]).findings(
      of: ended, [fast, Link(host: "c", latency: 2e-3, bandwidth: 1.1e7)])
    #expect(slow.map(\.hosts) == [["c"], ["c"]] && slow.allSatisfy { $0.severity == .warning })
    #expect(slow[0].what == "the network from a carries 11 MB/s")
    #expect(slow[0].remedy.contains("--network"))
    #expect(slow[1].what == "a message from a takes 2.0 ms" && slow[1].remedy.contains("ping c"))
    let alone = exchange(["a"]).findings(
      of: ended, [Link(host: "a", latency: 1e-6, bandwidth: 3e8)])
    #expect(alone.map(\.what) == ["two ranks exchange 300 MB/s through shared memory"])
  }

  @Test func ranksThatDoNotStart() {
    let errors = """
      [vm:1] some note
      ----------------------
      ORTE was unable to reliably start one or more daemons.
      """
    let late = "The user-provided time limit for job execution has been reached:"
    for (outcome, cause) in [
      (Tool.Outcome(code: 1, errors: errors), "unable to reliably start one or more daemons."),
      (Tool.Outcome(code: 1, errors: late), "no end after 12 s"), (nil, "no end after 12 s"),
    ] {
      let findings = exchange(["a", "b"]).findings(of: outcome, [])
      #expect(findings.map(\.severity) == [.defect])
      #expect(findings[0].what.hasSuffix(cause), "\(findings[0].what)")
      #expect(findings[0].remedy.contains("mpirun -np 2 --host a:1,b:1"))
    }
  }
}

/// Programs that are run to their end.
@Suite struct ToolTests {
  @Test func outcomesAndLimits() {
    let ended = Tool.run(
      ["sh", "-c", "echo $A; echo b >&2; exit 3"], variables: ["A": "a"], seconds: 10)
    #expect(ended == .init(code: 3, output: "a\n", errors: "b\n"))
    #expect(Tool.run(["/none"], seconds: 10)?.code == 127)
    #expect(Tool.run(["sh", "-c", "kill -9 $$"], seconds: 10)?.code == 137)
    let start = ContinuousClock.now
    #expect(Tool.run(["sh", "-c", "sleep 60; true"], seconds: 0.2) == nil)
    // What a program leaves behind is not waited for, even if it holds its outputs.
    #expect(Tool.run(["sh", "-c", "sleep 20 & echo a"], seconds: 10)?.output == "a\n")
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  /// A host may print for ever: neither time nor memory is unbounded.
  @Test func aProgramThatNeverStopsPrintingIsLeft() throws {
    let start = ContinuousClock.now
    let probe = try ProbeConversation(["yes", "{}"])
    #expect(probe.ask("clock", seconds: 0.5) == nil)
    _ = probe.end()
    let tool = try RunningTool(["cat", "/dev/zero"])
    #expect(tool.line(until: .now + .seconds(5)) == nil)
    #expect(tool.end(within: 2)?.output.utf8.count ?? 0 < 32 << 20)
    #expect(ContinuousClock.now - start < .seconds(10))
  }

  @Test func inParallelKeepsTheOrder() {
    #expect(Tool.inParallel(Array(0..<20)) { $0 * 2 } == (0..<20).map { $0 * 2 })
  }
}
