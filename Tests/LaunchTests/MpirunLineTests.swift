import Testing

@testable import Launch

/// The command line of `mpirun`.
@Suite struct MpirunLineTests {
  private func line(_ hosts: String, _ change: (inout MpirunLine) -> Void = { _ in }) throws
    -> String
  {
    var line = MpirunLine(
      hosts: try Hosts(list: hosts), program: "/opt/apus", arguments: ["pretrain", "run.yaml"])
    line.processors = Processors(cores: 4, threads: 8)
    change(&line)
    return line.text
  }

  @Test func ranksFillTheHostsInOrder() throws {
    let text = try line("a:2,b:1")
    #expect(text.hasPrefix("mpirun -np 3 --host a:2,b:1 --map-by slot --bind-to none --mca "))
    #expect(text.hasSuffix(" /opt/apus pretrain run.yaml"))
    #expect(text.contains(" --mca oob_tcp_keepalive_time 2 "))
    #expect(!text.contains("oversubscribe") && !text.contains("tcp_if_include"))
    let hosts = try Hosts(list: "a:2,b:1")
    #expect((0...3).map { hosts.host(ofRank: $0)?.name } == ["a", "a", "b", nil])
  }

  @Test func eachRankHasCoresOfItsOwn() throws {
    let few = try line("a:2") { $0.threads = 2 }
    #expect(few.contains("--map-by slot:PE=2 --bind-to core --mca"))
    let many = try line("a:1,b:3") { $0.threads = 2 }
    #expect(many.contains("--map-by slot:PE=2 --bind-to core --use-hwthread-cpus"))
    let crowded = try line("a:9") {
      $0.threads = 2
      $0.oversubscribes = true
    }
    #expect(crowded.contains("--bind-to none --oversubscribe --mca mpi_yield_when_idle 1"))
  }

  @Test func theNetworkIsThatOfRanksAndDaemons() throws {
    let text = try line("a:1,b:1") { $0.network = "10.0.0.0/24" }
    #expect(text.contains("--mca btl_tcp_if_include 10.0.0.0/24"))
    #expect(text.contains("--mca oob_tcp_if_include 10.0.0.0/24"))
  }

  /// An agent in place of ssh does not know the options of ssh.
  @Test func theVariablesOfTheUserReachTheHosts() throws {
    let ssh = "--mca plm_rsh_args '-o BatchMode=yes -o ConnectTimeout=10'"
    #expect(try line("a:1").contains(ssh))
    #expect(try line("a:1").contains(" -x APUS_START_LIMIT=120 "))
    let own = try line("a:1") {
      $0.environment = ["OMPI_MCA_plm_rsh_args": "-p 2222", "APUS_START_LIMIT": "9"]
    }
    #expect(own.contains("plm_rsh_args '-p 2222 -o BatchMode=yes -o ConnectTimeout=10'"))
    #expect(own.contains(" -x APUS_START_LIMIT ") && !own.contains("APUS_START_LIMIT="))
    let text = try line("a:1") {
      $0.environment = [
        "OMPI_MCA_plm_rsh_agent": "./agent", "APUS_FAULT": "x", "APUS_RESTARTED": "1", "PATH": "",
        "APUS_LAUNCHER": "7", "OPENBLAS_CORETYPE": "Haswell",
      ]
    }
    #expect(!text.contains("plm_rsh_args"))
    #expect(text.contains(" -x APUS_FAULT ") && !text.contains("APUS_RESTARTED"))
    #expect(!text.contains("APUS_LAUNCHER") && text.contains(" -x OPENBLAS_CORETYPE "))
  }

  @Test func aWordThatAShellWouldChangeIsQuoted() {
    #expect(MpirunLine.quoted("a=b/c:1,2") == "a=b/c:1,2")
    #expect(MpirunLine.quoted("it's $x") == #"'it'\''s $x'"#)
    #expect(MpirunLine.quoted("") == "''")
  }

  @Test func resumeIsReplaced() throws {
    var plan = LaunchPlan(
      program: "apus", arguments: ["pretrain", "r", "--resume", "never", "--set", "a=b"],
      environment: [:])
    plan.resumes = true
    plan.threads = 1
    let hosts = Hosts.local(slots: 1)
    let first = try plan.line(on: hosts).arguments
    #expect(first == ["pretrain", "r", "--resume", "never", "--set", "a=b", "--threads", "1"])
    let next = try plan.line(on: hosts, keepsResume: false).arguments
    #expect(next == ["pretrain", "r", "--set", "a=b", "--threads", "1"])
    let back = try plan.line(on: hosts, resuming: "c/step-1").arguments
    #expect(back.suffix(4) == ["--resume", "c/step-1", "--threads", "1"])
    plan.threads = Processors.ofThisMachine.threads + 1
    #expect(throws: LaunchError.self) { try plan.line(on: hosts) }
    plan.oversubscribes = true
    #expect(throws: Never.self) { try plan.line(on: hosts) }
  }
}
