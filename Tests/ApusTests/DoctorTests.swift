import Foundation
import Testing

/// `apus doctor` on machines that are made wrong on purpose.
@Suite(.serialized) struct DoctorTests {
  /// Runs the check; the variables that choose kernels are those of `variables` alone.
  private func doctor(
    _ arguments: [String], _ variables: [String: String] = [:], in program: Program? = nil,
    before: String = ""
  ) throws -> Program.Result {
    var program = try program ?? Program()
    program.environment = variables
    let line =
      "unset \(["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"].filter { variables[$0] == nil }.joined(separator: " ")); "
      + "\(before) exec \(Program.executable) doctor \(arguments.joined(separator: " "))"
    let (process, output, errors) = try program.start("/bin/sh", ["-c", line])
    return Program.finish(process, output, errors)
  }

  /// A stand-in for ssh in the folder of `program`, with a line of its `case` for each host.
  private func writeAgent(_ hosts: [String: String], _ program: Program) throws {
    let cases = hosts.map { "\($0.key)) \($0.value) ;;" }.joined(separator: "\n")
    try program.write(
      "#!/bin/sh\nhost=$1; shift\ncase $host in\n\(cases)\n*) exec sh -c \"$*\" ;;\nesac\n",
      to: "agent")
    chmod("\(program.folder)/agent", 0o755)
  }

  @Test func thisMachine() throws {
    let program = try Program()
    defer { program.remove() }
    let result = try doctor([], in: program)
    #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
    let lines = result.output.split(separator: "\n")
    #expect(lines[0].hasPrefix("host  ") && lines.count % 3 == 0, "\(result.output)")
    #expect(
      lines.last?.hasPrefix("No") == true && lines.last?.hasSuffix("on 1 host.") == true)
  }

  @Test func aSlowSettingOfOpenBLAS() throws {
    let program = try Program()
    defer { program.remove() }
    let result = try doctor([], ["OPENBLAS_CORETYPE": "Prescott"], in: program)
    #expect(result.output.contains("OPENBLAS_CORETYPE=Prescott: fp32 products reach"), "\(result)")
    let plain = try doctor([], in: program).output
    #expect(!plain.contains("Prescott"))
    // On some CPUs OpenBLAS itself chooses slow kernels, so that removing the setting is not enough.
    let remedy =
      plain.contains("OpenBLAS chose")
      ? "mend: export OPENBLAS_CORETYPE=" : "mend: unset OPENBLAS_CORETYPE\n"
    #expect(result.output.contains(remedy), "\(result)\n\(plain)")
  }

  @Test func limitsAndRanksThatDoNotFit() throws {
    let program = try Program()
    defer { program.remove() }
    let files = try doctor([], in: program, before: "ulimit -n 32;")
    #expect(files.code == 2, "\(files)")
    #expect(files.output.contains("(ulimit -n) is 32, and MPI needs 64"))
    #expect(files.output.contains("mend: ulimit -n 64"))
    #expect(try doctor([], in: program, before: "ulimit -n 64;").code == 0)
    let ranks = try doctor(["--ranks-per-host", "9999", "--threads", "2"], in: program)
    #expect(ranks.code == 2 && ranks.output.contains("9999 ranks × 2 threads are more"), "\(ranks)")
  }

  @Test func aSmallSharedMemory() throws {
    let program = try Program()
    defer { program.remove() }
    let (process, output, errors) = try program.start(
      "/usr/bin/env",
      [
        "unshare", "-m", "sh", "-c",
        "mount -t tmpfs -o size=1m tmpfs /dev/shm || exit 77; exec \(Program.executable) doctor",
      ])
    let result = Program.finish(process, output, errors)
    if [1, 77].contains(result.code) {
      return print("SKIPPED: a small /dev/shm, because mounting is not permitted")
    }
    #expect(result.code == 2, "\(result)")
    #expect(result.output.contains("/dev/shm has 1 MiB free"))
    #expect(result.output.contains("size=1g"))
  }

  @Test func hostsThatCannotBeReached() throws {
    let program = try Program()
    defer { program.remove() }
    let other = "\(program.folder)/apus-other"
    try FileManager.default.copyItem(atPath: Program.executable, toPath: other)
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: other))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data([0]))
    try handle.close()
    func ends(_ line: String) -> String { "echo '\(line)' >&2; exit 255" }
    try writeAgent(
      [
        "refused": ends("ssh: connect to host refused port 22: Connection refused"),
        "nameless": ends("ssh: Could not resolve hostname nameless: Name or service not known"),
        "stranger": ends("Host key verification failed."),
        "locked": ends("root@locked: Permission denied (publickey)."),
        "empty": "cd /; exec sh -c \"$(echo \"$*\" | sed 's#test -x [^ ]*#test -x /none#')\"",
        "other": "exec sh -c \"$(echo \"$*\" | sed 's#exec [^ ]*#exec \(other)#')\"",
        "good": "echo Welcome; exec sh -c \"$*\"",
      ], program)
    try program.write(
      ["refused", "nameless", "stranger", "locked", "empty", "good", "other"]
        .map { "\($0) slots=1\n" }.joined(), to: "hosts")
    let result = try doctor(["--hostfile", "hosts", "--ssh", "./agent"], in: program)
    #expect(result.code == 2 && result.errors.isEmpty, "\(result)")
    for line in [
      "defect: refused: ssh is refused", "defect: nameless: its name has no address",
      "defect: stranger: its ssh key is unknown here", "defect: locked: ssh asks for a password",
      "defect: empty: \(Program.executable) is missing", "defect: other: another apus than on good",
      "mend: ssh-keyscan stranger >> ~/.ssh/known_hosts", "mend: ssh-copy-id locked",
    ] {
      #expect(result.output.contains(line), "\(line)\n\(result.output)")
    }
    // A host that greets is no host that fails.
    #expect(result.output.contains("\ngood ") || result.output.hasPrefix("good "), "\(result)")
  }

  @Test func aFolderThatOneHostDoesNotShare() throws {
    let program = try Program()
    defer { program.remove() }
    try FileManager.default.createDirectory(
      atPath: "\(program.folder)/shared", withIntermediateDirectories: false)
    try writeAgent(
      ["apart": "exec unshare -m sh -c \"mount -t tmpfs tmpfs \(program.folder)/shared; $*\""],
      program)
    let arguments = ["--ssh", "./agent", "--hosts", "x:1,apart:1", "--run"]
    let result = try doctor(arguments + ["shared/run"], in: program)
    if result.output.contains("defect: apart: ./agent ends with code") {
      return print("SKIPPED: a folder that is not shared, because mounting is not permitted")
    }
    #expect(result.code == 2, "\(result)")
    #expect(
      result.output.contains("shared (tmpfs) does not show what x wrote 3 s ago"),
      "\(result.output)")
    #expect(program.names(in: "shared") == [], "the files of the probe are removed")
    let shared = try doctor(arguments + ["."], in: program)
    #expect(!shared.output.contains("does not show"), "\(shared)")
  }

  @Test func wrongArgumentsAreRefused() throws {
    let program = try Program()
    defer { program.remove() }
    try program.write("a slots=x\n", to: "hosts")
    for (arguments, code, sentence) in [
      (["--hostfile", "none"], 2, "none cannot be read"), (["--hostfile", "hosts"], 2, "hosts:1"),
      (["--hostfile", "hosts", "--hosts", "a:1"], 64, "exclude each other"),
      (["--threads", "0"], 64, "--threads must be at least 1"),
      (["--run", "''"], 64, "--run is empty"),
      (["--network", "10.0.0.7/24"], 64, "--network must be an address range"),
      (["--ssh", "''"], 64, "--ssh is empty"),
    ] as [([String], Int32, String)] {
      let result = try doctor(arguments, in: program)
      #expect(result.code == code && result.output.isEmpty, "\(arguments): \(result)")
      #expect(result.errors.contains(sentence), "\(result.errors)")
    }
  }
}
