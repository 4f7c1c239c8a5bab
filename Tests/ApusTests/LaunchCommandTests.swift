import Foundation
import Glibc
import Testing

/// `apus launch`: the command line, and a sentence for each mistake.
@Suite struct LaunchCommandTests {
  private func run(
    _ arguments: [String], hosts: String = "a slots=2\n", variables: [String: String] = [:]
  ) throws -> Program.Result {
    var program = try Program()
    defer { program.remove() }
    program.environment = variables
    try program.write(hosts, to: "hosts")
    try program.write("#!/bin/sh\necho d:2; echo e slots=1\n", to: "discover")
    chmod("\(program.folder)/discover", 0o755)
    return try program.run(["launch"] + arguments)
  }

  @Test(arguments: [
    (["pretrain", "run.yaml"], ["pretrain", "run.yaml"]),
    (["pretrain", "--set", "data.train=a"], ["pretrain", "--set", "data.train=a"]),
    (["align", "grpo.yaml", "--set", "steps=1"], ["align", "grpo.yaml", "--set", "steps=1"]),
    (["--", "run", "road.yaml", "--dry-run"], ["run", "road.yaml", "--dry-run"]),
    (["evaluate", "a", "b", "--texts", "t"], ["evaluate", "a", "b", "--texts", "t"]),
    (
      ["tokenizer", "train", "t", "--output", "o"], ["tokenizer", "train", "t", "--output", "o"]
    ),
  ])
  func everyCommandStarts(arguments: [String], words: [String]) throws {
    let result = try run(["--hostfile", "hosts", "--threads", "3", "--print"] + arguments)
    #expect(result.code == 0, "\(result.errors)")
    let line = result.output.split(separator: " ").map { $0.filter { $0 != "\n" } }
    let place = try #require(line.lastIndex { $0.hasSuffix("/apus") })
    #expect(Array(line[(place + 1)...]) == words + ["--threads", "3"])
    #expect(result.output.contains("mpirun -np 2 --host a:2 --map-by slot:PE=3 "))
  }

  @Test(
    arguments: [
      (["--hosts", "b:1,c:3"], "-np 4 --host b:1,c:3 "),
      (["--hosts", "b,c", "--ranks-per-host", "2"], "-np 4 --host b:2,c:2 "),
      (["--discover", "./discover"], "-np 3 --host d:2,e:1 "),
      ([], "-np 1 --host localhost:1 --map-by slot --bind-to none "),
      (["--network", "10.0.0.0/24"], "--mca oob_tcp_if_include 10.0.0.0/24 "),
    ] as [([String], String)])
  func everySourceOfHostsIsUsed(options: [String], part: String) throws {
    let result = try run(options + ["--print", "pretrain", "run.yaml"])
    #expect(result.code == 0 && result.output.contains(part), "\(result)")
  }

  @Test func theHostsOfASlurmJobAreUsed() throws {
    let variables = [
      "SLURM_JOB_NODELIST": "n[1-2]", "SLURM_TASKS_PER_NODE": "2,1", "SLURM_CPUS_PER_TASK": "4",
    ]
    let result = try run(["--print", "pretrain", "run.yaml"], variables: variables)
    #expect(result.output.contains("--host n1:2,n2:1 --map-by slot:PE=4 "), "\(result)")
    #expect(result.output.hasSuffix(" --threads 4\n"))
  }

  @Test(
    arguments: [
      ([], 64, "A command is missing"),
      (["finetun", "run.yaml"], 64, "There is no subcommand apus finetun"),
      (["pretrain", "run.yaml", "--sed", "a=1"], 64, "Unknown option '--sed'"),
      (["data", "build", "t", "--output", "o"], 64, "apus data runs on one host"),
      (["--threads", "0", "pretrain", "r"], 64, "--threads"),
      (["--grace", "-1", "pretrain", "r"], 64, "--grace"),
      (["--grace", "1e300", "pretrain", "r"], 64, "--grace must be a number of seconds from 0"),
      (["--report-every", "inf", "pretrain", "r"], 64, "--report-every must be a number"),
      (["--ranks-per-host", "70000", "pretrain", "r"], 64, "--ranks-per-host must be at most"),
      (["--threads", "9223372036854775807", "pretrain", "r"], 64, "--threads must be at most"),
      (["--spares", "-1", "pretrain", "r"], 64, "--spares must be 0 or more"),
      (["--hosts", "a:1", "--hostfile", "hosts", "pretrain", "r"], 64, "exclude each other"),
      (["--threads", "2", "pretrain", "r", "--threads", "2"], 64, "--threads is given twice"),
      (["--hosts", "a", "--print", "pretrain", "r"], 2, "the number of its ranks is missing"),
      (["--hostfile", "none", "--print", "pretrain", "r"], 2, "the hosts in none cannot be read"),
      (["--hostfile", "bin", "--print", "pretrain", "r"], 2, "the hosts in bin cannot be read"),
      (["--ranks-per-host", "60000", "--print", "pretrain", "r"], 2, "60000 ranks"),
      (["pretrain", "none.yaml"], 2, "none.yaml cannot be read"),
    ] as [([String], Int32, String)])
  func everyMistakeIsASentence(arguments: [String], code: Int32, sentence: String) throws {
    let result = try run(arguments)
    #expect(result.code == code && result.errors.contains(sentence), "\(result)")
    #expect(result.errors.hasPrefix("apus: ") && result.output.isEmpty)
  }

  @Test func helpIsThatOfTheLaunch() throws {
    let program = try Program()
    defer { program.remove() }
    for option in ["--help", "-h"] {
      let result = try program.run(["launch", option])
      #expect(result.code == 0 && result.output.contains("--take-over"), "\(result)")
    }
    let wrong = try program.run(["launch", "--hostfil", "x", "pretrain", "run.yaml"])
    #expect(wrong.code == 64 && wrong.errors.contains("Unknown option '--hostfil'"), "\(wrong)")
  }

  @Test func theScriptPretrains() throws {
    let program = try Program()
    defer { program.remove() }
    let (process, output, errors) = try program.start(
      "/usr/bin/env",
      [
        "HOSTFILE=h", "THREADS=2", "NETWORK=10.0.0.0/8", "APUS=echo",
        "\(ReadmeTests.repository)/cluster/pretrain.sh", "a b", "--set", "c=d",
      ])
    let result = Program.finish(process, output, errors)
    #expect(
      result.output
        == "launch --hostfile h --threads 2 --network 10.0.0.0/8 pretrain a b --set c=d\n")
  }
}
