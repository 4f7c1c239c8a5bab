import Foundation
import Testing

/// Signals at any moment of a start, limits of the shell, and ranks that never join.
@Suite(.serialized) struct StartTests {
  private static let pretrain = ["pretrain", "run.yaml", "--threads", "1"]

  /// A request to save waits for the first step; a request to stop ends the start with 75.
  @Test func requestsDuringAStartDoNotKillIt() throws {
    // The program inherits SIGHUP as ignored where the tests run under nohup.
    let action = signal(SIGHUP, SIG_DFL)
    defer { signal(SIGHUP, action) }
    try Program.withCorpus { program in
      for (request, code) in [
        (SIGUSR1, 0), (SIGUSR2, 75), (SIGTERM, 75), (SIGHUP, 75),
      ] as [(Int32, Int32)] {
        for delay in [0, 50, 150, 300] as [UInt32] {
          try? FileManager.default.removeItem(atPath: "\(program.folder)/run")
          let (process, output, errors) = try program.start(
            Self.pretrain + ["--set", "steps=300"])
          // On a busy machine the loader alone can take longer than any fixed delay.
          Program.wait(for: process) { catches(request, process.processIdentifier) }
          #expect(delay > 0 || program.steps("run").isEmpty)
          usleep(delay * 1000)
          kill(process.processIdentifier, request)
          let result = Program.finish(process, output, errors)
          #expect(result.code == code, "\(request) \(delay): \(result.errors)")
          #expect(request == SIGUSR1 || result.errors.contains("requested a stop"))
        }
      }
    }
  }

  /// Returns true when the process handles the signal `number`.
  private func catches(_ number: Int32, _ process: pid_t) -> Bool {
    let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("SigCgt:") }
    let mask = line.flatMap { UInt64($0.dropFirst(7).drop { $0 == "\t" }, radix: 16) } ?? 0
    return mask >> UInt64(number - 1) & 1 == 1
  }

  @Test(arguments: [SIGQUIT, SIGABRT])
  func aSignalToQuitEndsTheRun(number: Int32) throws {
    try Program.withCorpus { program in
      let (process, output, errors) = try program.start(Self.pretrain + Program.long)
      Program.wait(for: process) { !program.steps("run").isEmpty }
      kill(process.processIdentifier, number)
      _ = Program.finish(process, output, errors)
      #expect(process.terminationReason == .uncaughtSignal)
      #expect(process.terminationStatus == number)
    }
  }

  /// Another program never joins: a line says so after 10 seconds, and the start ends after 20.
  @Test(.enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
  func aProgramThatNeverJoinsEndsTheStart() throws {
    try Program.withCorpus { program in
      let mpirun = try #require(Program.mpirun)
      let (process, output, errors) = try program.start(
        mpirun,
        ["--oversubscribe", "-np", "1", "sleep", "300", ":", "-np", "1", Program.executable]
          + Self.pretrain)
      let start = ContinuousClock.now
      let result = Program.finish(process, output, errors, limit: 120)
      #expect(result.code == 2, "\(result.errors)")
      #expect((.seconds(18)...(.seconds(60))).contains(ContinuousClock.now - start))
      for words in ["has not joined the others yet", "within 20 seconds: start every rank"] {
        #expect(result.errors.components(separatedBy: words).count == 2, "\(result.errors)")
      }
      #expect(result.errors.contains("rank number 0 of "), "\(result.errors)")
      #expect(result.errors.contains(" runs sleep, not apus,"), "\(result.errors)")
    }
  }

  /// The variables of MPICH's launcher, but a program of Open MPI: each rank would be a world.
  @Test func aLauncherOfAnotherMPIEndsTheStart() throws {
    try Program.withCorpus { program in
      var program = program
      for (rank, sentences) in [("0", 1), ("1", 0)] {
        program.environment = ["PMI_RANK": rank, "PMI_SIZE": "2"]
        let result = try program.run(Self.pretrain)
        #expect(result.code == 2, "\(result)")
        let text = "apus: each of the 2 ranks is alone, because"
        #expect(result.errors.components(separatedBy: text).count == sentences + 1, "\(result)")
        #expect(program.names(in: "run").isEmpty)
      }
      program.environment = ["PMI_RANK": "0", "PMI_SIZE": "1"]
      #expect(try program.run(Self.pretrain).code == 0)
    }
  }

  /// Two runs start in one new folder: one trains, and the other names it.
  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: [nil, 2])
  func runsThatStartTogetherBuildTheDatasetOnce(ranks: Int?) throws {
    try Program.withCorpus { program in
      for _ in 0..<3 {
        try? FileManager.default.removeItem(atPath: "\(program.folder)/run")
        let runs = try (0..<2).map { _ in
          try program.start(
            Self.pretrain + ["--set", "steps=300", "--set", "checkpoint.every=20"], ranks: ranks)
        }
        let results = runs.map { Program.finish($0, $1, $2) }
        for result in results {
          #expect(
            result.code == 0 || result.code == 5 && result.errors.contains("has taken it over"),
            "\(result.errors)")
        }
        #expect(results.contains { $0.code == 0 })
        let built = results.filter { $0.errors.contains("validation tokens are in") }
        #expect(built.count == 1)
      }
    }
  }

  /// Runs a command of the shell in the program's folder with `apus` as `$A`.
  private func shell(_ script: String, in program: Program) throws -> Program.Result {
    let (process, output, errors) = try program.start(
      "/bin/bash", ["-c", "A=\(Program.executable); ulimit -c 0; \(script)"])
    return Program.finish(process, output, errors)
  }

  @Test func limitsOfTheShellEndWithASentence() throws {
    try Program.withCorpus { program in
      let command = "$A pretrain run.yaml --threads 1"
      let large = try shell("ulimit -f 8000; \(command) --set model.width=384", in: program)
      #expect(large.code == 5, "\(large.errors)")
      #expect(large.errors.contains("ulimit -f"), "\(large.errors)")
      let products = try shell("ulimit -v 600000; \(command) --set run=other", in: program)
      #expect(products.code == 2 && products.errors.contains("ulimit -v"), "\(products.errors)")
      let weights = try shell(
        "ulimit -v 3000000; \(command) --set run=third --set model.width=1024 "
          + "--set model.layers=16", in: program)
      #expect(weights.code == 2 && weights.errors.contains("MiB"), "\(weights.errors)")
      // MPI waits for ever, or ends with text of its own.
      for (limit, option) in [
        ("-f 0", "-f"), ("-f 4000", "-f"), ("-n 24", "-n"), ("-s 128", "-s"), ("-v 200000", "-v"),
      ] {
        let refused = try shell(
          "ulimit \(limit); timeout -s KILL 20 \(command) --set run=none", in: program)
        #expect(refused.code == 2, "\(limit): \(refused)")
        #expect(
          refused.errors.contains("(ulimit \(option))")
            && refused.errors.split(separator: "\n").count == 1, "\(limit): \(refused)")
      }
      let few = try shell(
        "\(command) --set run=small --set steps=1 && ulimit -v 300000 && "
          + "timeout -s KILL 20 $A generate small x --tokens 1 --threads 1", in: program)
      #expect(few.code == 2 && few.errors.contains("ulimit -v"), "\(few)")
    }
  }

  @Test(.enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
  func ranksWithOtherCommandsEndWithinSeconds() throws {
    try Program.withCorpus { program in
      let other = ["evaluate", "run", "--texts", "corpus.txt"]
      let result = try program.run(
        each: [.init(arguments: ["pretrain", "run.yaml"]), .init(arguments: other)], limit: 20)
      #expect(result.code == 2, "\(result.errors)")
      #expect(result.errors.contains("command \"evaluate\""), "\(result.errors)")
    }
  }

  /// A program that never calls MPI.
  @Test(.enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
  func aRankThatEndsBeforeItJoinsIsNamed() throws {
    try Program.withCorpus { program in
      let start = ContinuousClock.now
      let result = try program.run(
        each: [
          .init(arguments: ["pretrain", "run.yaml"]),
          .init(arguments: [], executable: "/bin/true"),
        ], limit: 30)
      #expect(result.code == 2 && ContinuousClock.now - start < .seconds(15))
      #expect(result.errors.contains("rank number 1 of"), "\(result.errors)")
    }
  }
}
