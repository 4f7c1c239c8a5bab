import Foundation
import Glibc
import Testing

/// Runs that `apus launch` watches: with a script in place of `mpirun`, and with the real one.
@Suite(.serialized) struct SupervisionTests {
  /// Runs `body` with a program whose `mpirun` is a script; `$n` in it is the number of the attempt,
  /// and `step N` writes a line of that step.
  private static func withScript(_ script: String, _ body: (Program) throws -> Void) throws {
    try Program.withCorpus { program in
      var program = program
      let text = """
        #!/bin/sh
        test "$1" = --version && exit
        n=$(($(cat attempts 2>/dev/null || echo 0) + 1)); echo $n > attempts
        echo "$@" > line.$n
        step() { echo "{\\"step\\":$1,\\"time\\":1,\\"secondsPerStep\\":1}" >> run/metrics.jsonl; }
        \(script)
        """
      try program.write(text, to: "bin/mpirun")
      chmod("\(program.folder)/bin/mpirun", 0o755)
      let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
      program.environment["PATH"] = "\(program.folder)/bin:\(path)"
      program.environment["XDG_STATE_HOME"] = "\(program.folder)/state"
      try body(program)
    }
  }

  private let launch = [
    "launch", "--no-preflight", "--hosts", "a:1,b:1", "--grace", "1", "pretrain", "run.yaml",
  ]

  private func text(_ program: Program, _ name: String) -> String {
    String(decoding: program.read(name) ?? Data(), as: UTF8.self)
  }

  @Test func everyFailureThatMayPassIsTriedAgain() throws {
    let script = """
      step $n
      case $n in
        1) echo "mpirun noticed that process rank 1 with PID 1 on node b exited on signal 9 (Killed)." >&2
           exit 137;;
        2) echo "  Remote daemon: [[1,0],1] on node b" >&2; exit 1;;
        3) exit 75;;
        4) exit 5;;
        *) exit 0;;
      esac
      """
    try Self.withScript(script) { program in
      let result = try program.run(launch)
      #expect(result.code == 0, "\(result.errors)")
      #expect(text(program, "attempts") == "5\n")
      #expect(result.errors.contains("signal 9 (Killed) ended rank 1 (host b)"))
      // The lost host is left out until its cool-down is over.
      #expect(text(program, "line.2").contains("--host a:1,b:1 "))
      #expect(text(program, "line.3").contains("--host a:1 "))
      let records = text(program, "run/launch.jsonl").split(separator: "\n")
      #expect(records.count == 5 && records[1].contains(#""failedHost":"b""#))
      #expect(!program.names(in: "run").contains("LAUNCH"))
    }
  }

  @Test(arguments: [2, 3, 64] as [Int32])
  func anErrorThatComesAgainEndsTheLaunch(code: Int32) throws {
    try Self.withScript("exit \(code)") { program in
      let result = try program.run(launch)
      #expect(result.code == code, "\(result.errors)")
      #expect(text(program, "attempts") == "1\n")
    }
  }

  @Test(arguments: [
    ("There are not enough slots available in the system", "mpirun could not start the ranks"),
    ("ssh: connect to host b port 22: Connection refused", "host b cannot be reached (ssh: Conn"),
  ])
  func whatMpirunRefusesEndsTheLaunch(message: String, sentence: String) throws {
    try Self.withScript("echo '\(message)' >&2; exit 1") { program in
      let result = try program.run(launch)
      #expect(result.code == 2 && result.errors.contains(sentence), "\(result.errors)")
      #expect(text(program, "attempts") == "1\n")
    }
  }

  // MARK: Before the first start

  /// Starts a launch on two hosts, which an agent in place of ssh makes wrong as `cases` say, and the
  /// commands `before` change.
  private func launched(
    _ options: [String] = [], cases: String = "", script: String = "exit 0",
    _ body: (Program, Program.Result) throws -> Void
  ) throws {
    try Self.withScript(script) { program in
      var program = program
      program.environment["OMPI_MCA_plm_rsh_agent"] = "\(program.folder)/agent"
      try program.write(
        "#!/bin/sh\nhost=$1; shift\ncase $host in\n\(cases)\n*) exec sh -c \"$*\";;\nesac\n",
        to: "agent")
      chmod("\(program.folder)/agent", 0o755)
      let start = ContinuousClock.now
      let result = try program.run(
        ["launch", "--hosts", "a:1,b:1"] + options + ["pretrain", "run.yaml"])
      #expect(ContinuousClock.now - start < .seconds(20))
      try body(program, result)
    }
  }

  @Test func soundHostsAreStarted() throws {
    try launched { program, result in
      #expect(result.code == 0, "\(result.errors)")
      #expect(text(program, "attempts") == "1\n")
      #expect(!program.names(in: "run").contains { $0.hasPrefix(".apus-doctor") })
    }
  }

  @Test(arguments: [
    ("b) echo 'ssh: connect to host b: Connection refused' >&2; exit 255;;", "ssh is refused"),
    ("b) exec sh -c \"export APUS_CPU_LEVEL=default; $*\";;", "other CPU kernels"),
    ("b) exec sh -c \"ulimit -n 32; $*\";;", "the limit of"),
    (
      #"b) exec sh -c "$(echo "$*" | sed 's#test -x [^ ]*#test -x /none#')";;"#, "apus is missing",
    ),
  ])
  func aHostWithADefectEndsTheFirstStart(cases: String, cause: String) throws {
    try launched(cases: cases) { program, result in
      #expect(result.code == 2, "\(result.errors)")
      let lines = result.errors.split(separator: "\n")
      #expect(lines.contains { $0.contains("b: ") && $0.contains(cause) }, "\(result.errors)")
      #expect(
        lines.count == 2 && lines[1].hasPrefix("apus: no rank was started, because of the defect"),
        "\(result.errors)")
      #expect(program.read("attempts") == nil)
      #expect(!program.names(in: ".").contains("run"), "nothing is left of the refused start")
    }
    try launched(["--no-preflight"], cases: cases) { program, result in
      #expect(result.code == 0 && text(program, "attempts") == "1\n", "\(result.errors)")
    }
  }

  /// A host that cannot be used is replaced by a spare; later also without one it is left out.
  @Test func hostsWithDefectsAreLeftOut() throws {
    let refusal = "echo 'ssh: connect to host port 22: Connection refused' >&2; exit 255"
    try launched(["--hosts", "a:1,b:1,c:1", "--spares", "1"], cases: "b) \(refusal);;") {
      program, result in
      #expect(result.code == 0, "\(result.errors)")
      #expect(result.errors.contains("b: ssh is refused"))
      #expect(text(program, "line.1").contains("--host a:1,c:1 "))
    }
    let script = """
      step $n; test $n -gt 1 && exit 0
      touch fallen
      echo "mpirun noticed that process rank 1 with PID 1 on node b exited on signal 9 (Killed)." >&2
      exit 137
      """
    try launched(cases: "b) test -e fallen && { \(refusal); }; exec sh -c \"$*\";;", script: script)
    {
      program, result in
      #expect(result.code == 0, "\(result.errors)")
      #expect(result.errors.contains("b: ssh is refused"))
      #expect(text(program, "line.1").contains("--host a:1,b:1 "))
      #expect(text(program, "line.2").contains("--host a:1 "))
    }
  }

  /// A spare is compared with a host that is known as sound.
  @Test func aSpareThatDoesNotShareTheFolderIsLeftOut() throws {
    let script = """
      step $n; test $n -gt 1 && exit 0
      echo "mpirun noticed that process rank 1 with PID 1 on node b exited on signal 9 (Killed)." >&2
      exit 137
      """
    let cases = #"c) exec unshare -m sh -c "mount -t tmpfs tmpfs run || exit 77; $*";;"#
    try launched(["--hosts", "a:1,b:1,c:1", "--spares", "1"], cases: cases, script: script) {
      program, result in
      #expect(result.code == 0, "\(result.errors)")
      if result.errors.contains("ends with code") {
        return print("SKIPPED: a spare without the folder, because mounting is not permitted")
      }
      #expect(result.errors.contains("c: the folder "), "\(result.errors)")
      #expect(result.errors.contains("does not show what a wrote 3 s ago"), "\(result.errors)")
      #expect(text(program, "line.2").contains("--host a:1,b:1 "))
    }
  }

  // MARK: Reports

  @Test func theUsefulTimeIsReportedWhileTheRunWorks() throws {
    try Self.withScript("step 1; sleep 1.5; exit 0") { program in
      var arguments = launch
      arguments.insert(contentsOf: ["--report-every", "1"], at: 1)
      let result = try program.run(arguments)
      let lines = result.errors.split(separator: "\n").filter { $0.contains("useful") }
      #expect(lines.count == 2 && lines[0].hasPrefix("apus: so far 1 attempt, "), "\(lines)")
      #expect(!lines[1].contains("so far"))
    }
  }

  // MARK: After failures

  /// After three failures of a step the run resumes from the checkpoint before the newest one.
  @Test func theRunGoesBackACheckpoint() throws {
    let script = """
      mkdir -p run/checkpoints/step-00000004 run/checkpoints/step-00000008
      test $n -gt 3 || { step 9; exit 137; }
      """
    try Self.withScript(script) { program in
      // Two attempts without progress have cool-downs of 0 and 5 seconds.
      let result = try program.run(launch + ["--resume", "never"])
      #expect(result.code == 0, "\(result.errors)")
      #expect(text(program, "line.1").contains("--resume never"))
      #expect(!text(program, "line.2").contains("--resume"))
      #expect(text(program, "line.4").contains("--resume run/checkpoints/step-00000004"))
    }
  }

  /// The process that `apus launch` started as mpirun: a child of its child.
  private func mpirun(of process: Process) -> Int32? {
    let supervisor = Program.children(of: process.processIdentifier).first
    return supervisor.flatMap { Program.children(of: $0).first }
  }

  @Test func aRequestToStopReachesTheRanks() throws {
    let script = "trap 'exit 75' USR2; touch ready; while :; do sleep 0.05; done"
    try Self.withScript(script) { program in
      let (process, output, errors) = try program.start(launch)
      Program.wait(for: process) { program.read("ready") != nil }
      kill(process.processIdentifier, SIGTERM)
      let result = Program.finish(process, output, errors)
      #expect(result.code == 75, "\(result.errors)")
      #expect(text(program, "attempts") == "1\n")
    }
  }

  /// After the grace period, and after SIGKILL to the launch, no process is left.
  @Test(arguments: [SIGTERM, SIGKILL])
  func nothingIsLeftRunning(number: Int32) throws {
    let script = """
      trap '' USR2 HUP
      exec >/dev/null 2>&1
      setsid sh -c 'trap "" USR2 HUP; echo $$ > orphan; while :; do sleep 0.2; done' &
      echo $$ > shell; while :; do sleep 0.2; done
      """
    try Self.withScript(script) { program in
      let (process, output, errors) = try program.start(launch)
      Program.wait(for: process) {
        program.read("orphan")?.isEmpty == false && program.read("shell")?.isEmpty == false
      }
      let processes = ["orphan", "shell"].compactMap {
        Int32(text(program, $0).filter { $0 != "\n" })
      }
      #expect(processes.count == 2 && processes.allSatisfy { kill($0, 0) == 0 })
      kill(process.processIdentifier, number)
      let result = Program.finish(process, output, errors)
      #expect(result.code == (number == SIGTERM ? 75 : SIGKILL), "\(result.errors)")
      // The supervisor of a killed launch needs some milliseconds.
      let end = ContinuousClock.now + .seconds(10)
      while processes.contains(where: { kill($0, 0) == 0 }), ContinuousClock.now < end {
        usleep(10_000)
      }
      #expect(processes.allSatisfy { kill($0, 0) != 0 })
    }
  }

  @Test func aSecondLaunchIsRefusedOrTakesOver() throws {
    let script = "test $n -gt 1 && exit 0; touch ready; while :; do sleep 0.05; done"
    try Self.withScript(script) { program in
      let (process, output, errors) = try program.start(launch)
      Program.wait(for: process) { program.read("ready") != nil }
      let refused = try program.run(launch)
      #expect(refused.code == 2, "\(refused.errors)")
      #expect(refused.errors.contains("process \(process.processIdentifier) on "))
      let plain = try program.run(["pretrain", "run.yaml"])
      #expect(plain.code == 2, "\(plain.errors)")
      #expect(plain.errors.contains("another apus launch works on this run folder"))
      // Of two that take it over together, one ends at once.
      let moment = ContinuousClock.now
      let others = try (0..<2).map { _ in
        try program.start(["launch", "--take-over"] + launch.dropFirst())
      }
      let results = others.map { Program.finish($0.0, $0.1, $0.2) }
      #expect(results.map(\.code).sorted() == [0, 2], "\(results)")
      #expect(results.contains { $0.errors.contains("over at the same time") }, "\(results)")
      #expect(ContinuousClock.now - moment < .seconds(12))
      let first = Program.finish(process, output, errors)
      #expect(first.code == 75 && first.errors.contains("has taken the run folder over"))
      #expect(!program.names(in: "run").contains("LAUNCH"))
    }
  }

  /// The weights of a run whose rank is killed, and whose mpirun then receives SIGTERM, are those of
  /// an uninterrupted one.
  @Test(.enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
  func aKilledAndStoppedRunHasTheSameBits() throws {
    try Program.withCorpus { program in
      var program = program
      program.environment["XDG_STATE_HOME"] = "\(program.folder)/state"
      let steps = 60
      let run =
        ["pretrain", "run.yaml", "--threads", "1"] + Program.long
        + ["--set", "steps=\(steps)"]
      #expect(try program.run(run + ["--set", "run=whole"]).code == 0)
      let launch = ["launch", "--ranks-per-host", "2"] + run + ["--oversubscribe"]
      let (process, output, errors) = try program.start(launch)
      Program.wait(for: process) { (program.steps("run").last ?? 0) >= 8 }
      let ranks = mpirun(of: process).map(Program.children(of:)) ?? []
      #expect(ranks.count == 2)
      if let rank = ranks.randomElement() { kill(rank, SIGKILL) }
      Program.wait(for: process) { (program.steps("run").last ?? 0) >= 24 }
      if let mpirun = mpirun(of: process) { kill(mpirun, SIGTERM) }
      let stopped = Program.finish(process, output, errors)
      #expect(stopped.code == 75 && stopped.errors.contains("2 attempts, "), "\(stopped.errors)")
      let step = try #require(program.steps("run").last)
      #expect(step < steps && program.metrics("run") == Array(1...step))
      let last = try program.run(launch)
      #expect(last.code == 0, "\(last.errors.suffix(2000))")
      let whole = program.hash("whole", step: steps)
      #expect(whole != nil && program.hash("run", step: steps) == whole)
      #expect(program.metrics("run") == Array(1...steps))
    }
  }

  /// A request to save waits for ranks that are not ready, which it would kill.
  @Test func anEarlyRequestToSaveWaitsForTheRanks() throws {
    let script = """
      touch begun; sleep 0.6; mkdir -p run/chat; trap 'touch saved' USR1; touch run/chat/environment.json
      for i in 1 2 3 4 5 6 7 8; do sleep 0.2; test -e saved && exit 0; done; exit 3
      """
    try Self.withScript(script) { program in
      let (process, output, errors) = try program.start(launch)
      Program.wait(for: process) { program.read("begun") != nil }
      kill(process.processIdentifier, SIGUSR1)
      let result = Program.finish(process, output, errors)
      #expect(result.code == 0 && text(program, "attempts") == "1\n", "\(result.errors)")
    }
  }
}
