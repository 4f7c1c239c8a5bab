import Foundation
import Testing

/// The program and the launchers of two MPIs, Open MPI and MPICH: `make test-mpich` runs these tests in
/// a build with MPICH, too.
@Suite(.serialized) struct OtherMPITests {
  private static let pretrain = ["pretrain", "run.yaml", "--threads", "1", "--oversubscribe"]
  private static let mpiexec = path("mpiexec.mpich")
  private static let mpirun = path("mpirun.openmpi")
  /// True when the program is built with MPICH.
  private static let isOfMPICH: Bool = {
    guard let program = try? Program() else { return false }
    defer { program.remove() }
    return (try? program.run(["--version"]).output)?.contains("(MPICH ") == true
  }()
  private static let other = isOfMPICH ? mpirun : mpiexec

  private static func path(_ name: String) -> String? {
    let path = "/usr/bin/\(name)"
    return FileManager.default.isExecutableFile(atPath: path) ? path : nil
  }

  /// Starts the program under the launcher of MPICH.
  private func start(
    _ program: Program, ranks: Int, _ arguments: [String]
  ) throws -> (Process, Pipe, Pipe) {
    try program.start(
      try #require(Self.mpiexec), ["-n", "\(ranks)", Program.executable] + arguments)
  }

  /// A process of a parent that has the name of the program.
  private func ranks(of parent: Int32) -> [Int32] {
    Program.children(of: parent).flatMap { child in
      let name = try? String(contentsOfFile: "/proc/\(child)/comm", encoding: .utf8)
      return name == "apus\n" ? [child] : ranks(of: child)
    }
  }

  @Test(.enabled(if: other != nil, "The other MPI is missing: cluster/setup.sh mpich installs it."))
  func ranksOfAnotherMPIDoNotTrainAlone() throws {
    try Program.withCorpus { program in
      let options = Self.isOfMPICH ? ["--oversubscribe", "-np", "2"] : ["-n", "2"]
      let (process, output, errors) = try program.start(
        try #require(Self.other), options + [Program.executable] + Self.pretrain)
      let result = Program.finish(process, output, errors)
      #expect(result.code == 2, "\(result)")
      let sentences = result.errors.components(separatedBy: "apus: each of the 2 ranks is alone, ")
      #expect(sentences.count == 2, "\(result.errors)")
      #expect(program.names(in: "run").isEmpty)
    }
  }

  @Test(.enabled(if: isOfMPICH, "Only in a build with MPICH: make test-mpich."))
  func aLaunchIsRefused() throws {
    try Program.withCorpus { program in
      let result = try program.run(["launch"] + Self.pretrain)
      #expect(result.code == 2 && result.output.isEmpty, "\(result)")
      #expect(result.errors.contains("apus launch needs the mpirun of Open MPI"))
      #expect(program.names(in: "run").isEmpty)
    }
  }

  /// The exit codes of `mpiexec`, and equal bits after a stop and a killed rank.
  @Test(.enabled(if: isOfMPICH, "Only in a build with MPICH: make test-mpich."))
  func aRunIsStoppedKilledAndResumed() throws {
    try Program.withCorpus { program in
      let long = Self.pretrain + Program.long
      #expect(try program.run(long + ["--set", "run=whole"]).code == 0)
      // After a signal to mpiexec of MPICH 4.0 its exit code is 0 in one of ten cases.
      let requests: [(Int32, toRank: Bool, codes: Set<Int32>)] = [
        (SIGTERM, true, [75]), (SIGTERM, false, [75, 0]), (SIGKILL, true, [9]),
      ]
      for (number, toRank, codes) in requests {
        let before = program.steps("run").last ?? 0
        let (process, output, errors) = try start(program, ranks: 2, long)
        Program.wait(for: process) { (program.steps("run").last ?? 0) > before }
        let own = process.processIdentifier
        kill(try #require(toRank ? ranks(of: own).last : own), number)
        let result = Program.finish(process, output, errors)
        #expect(codes.contains(result.code), "\(number): \(result.code) \(result.errors)")
        #expect(number == SIGKILL || result.errors.contains("requested a stop"))
      }
      let (process, output, errors) = try start(program, ranks: 2, long)
      let result = Program.finish(process, output, errors)
      #expect(result.code == 0 && result.errors.contains("resuming from"), "\(result.errors)")
      let whole = program.hash("whole", step: 160)
      #expect(whole != nil && program.hash("run", step: 160) == whole)
    }
  }

  @Test(.enabled(if: isOfMPICH, "Only in a build with MPICH: make test-mpich."))
  func errorsEndAllRanksWithTheirCodes() throws {
    try Program.withCorpus { program in
      let launcher = try #require(Self.mpiexec)
      try program.write(Program.yaml("seed: 2"), to: "other.yaml")
      let other = [Self.pretrain[0], "other.yaml"] + Self.pretrain[2...]
      let first = ["-n", "1", Program.executable] + Self.pretrain + [":", "-n", "1"]
      for (second, words) in [
        ([Program.executable] + other, "seed: 2"), (["/bin/true"], "rank number 1 of"),
      ] {
        let (process, output, errors) = try program.start(launcher, first + second)
        let result = Program.finish(process, output, errors, limit: 30)
        #expect(result.code == 2 && result.errors.contains(words), "\(result)")
        #expect(program.names(in: "run").isEmpty)
      }
    }
  }
}
