import Foundation
import Testing

/// `cluster/pretrain.sh`: every command under `mpirun`, and a sentence for each mistake.
@Suite struct LaunchScriptTests {
  /// Runs the script in an empty folder, with an `mpirun` and an `apus` that print their arguments.
  private func run(
    _ arguments: [String], _ variables: [String: String] = [:], hosts: String = "a slots=2\n"
  ) throws -> Program.Result {
    let program = try Program()
    defer { program.remove() }
    try program.write(hosts, to: "hosts")
    try program.write("", to: "grpo.yaml")
    for name in ["mpirun", "apus"] {
      try program.write("#!/bin/sh\nprintf '%s\\n' \"$@\"\n", to: "bin/\(name)")
      chmod("\(program.folder)/bin/\(name)", 0o755)
    }
    let all = ["HOSTFILE": "hosts", "APUS": "bin/apus"].merging(variables) { $1 }
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let (process, output, errors) = try program.start(
      "/usr/bin/env",
      all.map { "\($0)=\($1)" } + ["PATH=\(program.folder)/bin:\(path)"]
        + ["\(ReadmeTests.repository)/cluster/pretrain.sh"] + arguments)
    return Program.finish(process, output, errors)
  }

  @Test(arguments: [
    (["run.yaml"], ["pretrain", "run.yaml"]),
    (["grpo.yaml", "--set", "steps=1"], ["pretrain", "grpo.yaml", "--set", "steps=1"]),
    (["--set", "data.train=a"], ["pretrain", "--set", "data.train=a"]),
    (["align", "grpo.yaml"], ["align", "grpo.yaml"]),
    (["run", "road.yaml", "--dry-run"], ["run", "road.yaml", "--dry-run"]),
    (["evaluate", "a", "b", "--texts", "t"], ["evaluate", "a", "b", "--texts", "t"]),
    (["tokenizer", "train", "t"], ["tokenizer", "train", "t"]),
  ])
  func everyCommandStarts(arguments: [String], words: [String]) throws {
    let result = try run(arguments, ["THREADS": "3"])
    #expect(result.code == 0, "\(result.errors)")
    let lines = result.output.split(separator: "\n").map(String.init)
    let place = try #require(lines.lastIndex(of: "bin/apus"))
    #expect(Array(lines[(place + 1)...]) == words + ["--threads", "3"])
    #expect(lines.contains("ppr:2:node:PE=3"))
  }

  @Test(
    arguments: [
      ([], [:], "a slots=2", 64, "usage:"),
      (["finetun", "run.yaml"], [:], "a slots=2", 64, "'finetun' is neither a file nor one of"),
      (["align"], [:], "a slots=2", 64, "apus align needs arguments"),
      (["run.yaml"], ["HOSTFILE": "none"], "", 2, "HOSTFILE=none cannot be read"),
      (["run.yaml"], ["HOSTFILE": "bin"], "", 2, "HOSTFILE=bin cannot be read"),
      (["run.yaml"], ["THREADS": "0"], "a slots=2", 64, "THREADS=0 must be a number"),
      (["run.yaml"], ["THREADS": "two"], "a slots=2", 64, "THREADS=two must be a number"),
      (["run.yaml"], ["APUS": "bin/none"], "a slots=2", 2, "bin/none is no program"),
      (["run.yaml"], [:], "a slots=2\nb slots=1", 2, "slots=R with the same R"),
      (["run.yaml"], [:], "a slots=2\nb", 2, "slots=R with the same R"),
      (["run.yaml"], [:], "a slots=0", 2, "slots=R with the same R"),
      (["run.yaml"], [:], "# nothing", 2, "slots=R with the same R"),
    ] as [([String], [String: String], String, Int32, String)])
  func everyMistakeIsASentence(
    arguments: [String], variables: [String: String], hosts: String, code: Int32, sentence: String
  ) throws {
    let result = try run(arguments, variables, hosts: hosts + "\n")
    #expect(result.code == code && result.errors.contains(sentence), "\(result)")
    #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
  }
}
