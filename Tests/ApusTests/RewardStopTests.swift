import Foundation
import Testing

/// A run that ends while its reward command runs: at once, with what is done, and with all processes
/// of the command.
@Suite(
  .serialized, .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
struct RewardStopTests {
  /// A reward command whose call number `call` hangs, in a session of its own, while the file `hang`
  /// exists.
  private func command(hangingAt call: Int) -> String {
    "reward.command=echo >> calls; if [ -e hang ] && [ $(wc -l < calls) = \(call) ]; then "
      + "setsid sh -c 'echo $$ > child; exec sleep 300'; fi; awk '{ print length($0) % 5 }'"
  }

  /// Starts a run whose reward command hangs, and calls `body` as soon as it does; returns the result
  /// of the run, none of whose processes is left.
  private func interrupted(
    _ program: Program, _ arguments: [String], ranks: Int?, _ body: (Process) throws -> Void
  ) throws -> Program.Result {
    try program.write("", to: "hang")
    for name in ["child", "calls"] {
      try? FileManager.default.removeItem(atPath: "\(program.folder)/\(name)")
    }
    let (process, output, errors) = try program.start(arguments, ranks: ranks)
    Program.wait(for: process) { program.pid(in: "child") != nil }
    let child = try #require(program.pid(in: "child"))
    let start = ContinuousClock.now
    try body(process)
    let result = Program.finish(process, output, errors)
    // mpirun takes a second to end.
    #expect(ContinuousClock.now - start < .seconds(20))
    // The supervisor ends the processes of a killed rank a moment after it.
    let limit = ContinuousClock.now + .seconds(5)
    while !Program.hasEnded(child) && ContinuousClock.now < limit { usleep(10_000) }
    #expect(Program.hasEnded(child))
    try FileManager.default.removeItem(atPath: "\(program.folder)/hang")
    return result
  }

  /// Under `mpirun` only the last rank hears of the request; rank 0 runs the command.
  @Test(arguments: [(SIGTERM, nil), (SIGINT, nil), (SIGUSR2, 2)] as [(Int32, Int?)])
  func aRequestToStopEndsTheCommand(number: Int32, ranks: Int?) throws {
    try Program.withModel { program in
      let run = { Program.shortAlignment($0, command(hangingAt: 2), "steps=4") }
      let whole = try program.run(run("whole"))
      #expect(whole.code == 0, "\(whole.errors)")
      let result = try interrupted(program, run("run"), ranks: ranks) {
        kill(
          try #require(ranks == nil ? $0.processIdentifier : Program.children(of: $0).last), number)
      }
      #expect(result.code == 75, "\(result.errors)")
      #expect(result.errors.contains("requested a stop"), "\(result.errors)")
      #expect(program.steps("run").last == 2 && program.metrics("run") == [1, 2])
      let next = try program.run(run("run"), ranks: ranks)
      #expect(next.code == 0 && next.errors.contains("resuming from"), "\(next.errors)")
      let hash = program.hash("run", step: 4)
      #expect(hash != nil && hash == program.hash("whole", step: 4))
    }
  }

  @Test(arguments: [(SIGTERM, nil), (SIGINT, nil), (SIGHUP, nil), (SIGUSR2, 2)] as [(Int32, Int?)])
  func aRequestBeforeTheFirstStepLeavesNoCheckpoint(number: Int32, ranks: Int?) throws {
    let action = signal(SIGHUP, SIG_DFL)
    defer { signal(SIGHUP, action) }
    try Program.withModel { program in
      let result = try interrupted(
        program, Program.shortAlignment("run", command(hangingAt: 1)), ranks: ranks
      ) { kill($0.processIdentifier, number) }
      #expect(result.code == 75, "\(result.errors)")
      #expect(result.errors.contains("before the first step"), "\(result.errors)")
      #expect(program.steps("run") == [])
    }
  }

  /// The run that resumes makes the evaluation.
  @Test func anEvaluationThatARequestInterruptsIsMadeLater() throws {
    try Program.withModel { program in
      // Two calls for the evaluation before the first step, then one for two steps.
      let run = {
        Program.shortAlignment(
          $0, command(hangingAt: 4), "steps=4", "data.validation=0.2", "evaluate.every=2",
          "checkpoint.keepBest=true")
      }
      #expect(try program.run(run("whole")).code == 0)
      let result = try interrupted(program, run("run"), ranks: nil) {
        kill($0.processIdentifier, SIGTERM)
      }
      #expect(result.code == 75, "\(result.errors)")
      #expect(program.steps("run").last == 2)
      let next = try program.run(run("run"))
      #expect(next.code == 0, "\(next.errors)")
      let evaluations = { (run: String) in
        try program.figures(run).filter { $0["validationLoss"] != nil }.map {
          [$0["step"] as? Double, $0["validationLoss"] as? Double]
        }
      }
      let (whole, own) = (try evaluations("whole"), try evaluations("run"))
      #expect(whole.count == 3 && own == whole, "\(own) \(whole)")
      #expect(program.steps("run") == program.steps("whole"))
    }
  }

  /// `mpirun` kills its ranks after a second, and so does a user.
  @Test(arguments: [(SIGKILL, nil), (SIGKILL, 2), (SIGTERM, 2)] as [(Int32, Int?)])
  func noProcessOutlivesARankThatIsKilled(number: Int32, ranks: Int?) throws {
    try Program.withModel { program in
      let run = Program.shortAlignment("run", command(hangingAt: 1))
      let result = try interrupted(program, run, ranks: ranks) {
        let isOfMpirun = ranks == nil || number == SIGTERM
        kill(
          try #require(isOfMpirun ? $0.processIdentifier : Program.children(of: $0).first), number)
      }
      #expect(result.code != 0)
    }
  }

  @Test func theErrorsOfACommandAreHarmlessAndFew() throws {
    try Program.withModel { program in
      let command =
        #"printf '\033]0;title\007\303' >&2; sleep 0.1; printf '\251\n' >&2; "#
        + "yes aaaa | head -c 3000000 >&2; yes 1 | head -n 8"
      let result = try program.run(
        Program.shortAlignment("run", "reward.command=\(command)"), ranks: 2)
      #expect(result.code == 0, "\(result.errors.suffix(2000))")
      #expect(result.errors.contains("␛]0;title␇é\naaaa"))
      #expect(!result.errors.unicodeScalars.contains("\u{1B}"))
      #expect(result.errors.contains("wrote more than 1 MiB to standard error"))
      #expect(result.errors.utf8.count < 1 << 21)
    }
  }
}
