import Foundation
import Glibc
import Testing

/// Full disks, read-only disks and incomplete checkpoints: the run fails with code 5 or falls back
/// to an older checkpoint, and published checkpoints are kept.
@Suite(.serialized) struct DiskTests {
  private static let pretrain = ["pretrain", "run.yaml", "--threads", "1"]

  /// Runs `body` with a small file system mounted on the folder `disk`.
  private func withDisk(bytes: Int, _ body: (Program, _ disk: Disk) throws -> Void) throws {
    try Program.withCorpus { program in
      let disk = Disk(path: "\(program.folder)/disk")
      try FileManager.default.createDirectory(
        atPath: disk.path, withIntermediateDirectories: true)
      try #require(disk.mount(bytes: bytes))
      defer { disk.unmount() }
      try body(program, disk)
    }
  }

  @Test(.enabled(if: Disk.mayMount, "Mounting a small disk is not permitted here."))
  func aFullDiskFailsWithCode5AndKeepsCheckpoints() throws {
    try withDisk(bytes: 1 << 20) { program, disk in
      let run = ["--set", "run=disk/run", "--set", "steps=6"]
      #expect(try program.run(Self.pretrain + run).code == 0)
      let safe = program.hash("disk/run", step: 6)
      // Enough room for the small files of a start, but not for a checkpoint.
      try disk.fill(leaving: 64 << 10)
      let more = ["--set", "run=disk/run", "--set", "steps=12"]
      for ranks in [nil, 2] {
        let full = try program.run(Self.pretrain + more, ranks: ranks)
        #expect(full.code == 5, "\(full.errors)")
        #expect(full.errors.contains("disk/run") && full.errors.contains("free"), "\(full.errors)")
        #expect(safe != nil && program.hash("disk/run", step: 6) == safe)
      }
      try disk.fill(leaving: 0)
      let packed = try program.run(Self.pretrain + more)
      #expect(packed.code == 5 && packed.errors.contains("disk"), "\(packed.errors)")
      disk.clear()
      let last = try program.run(Self.pretrain + more)
      #expect(last.code == 0 && last.errors.contains("resuming from"), "\(last.errors)")
      #expect(program.steps("disk/run").last == 12)
    }
  }

  /// The disk is full while a run trains, and has room again before it ends: nothing is lost, and no
  /// line of the metrics is torn.
  @Test(.enabled(if: Disk.mayMount, "Mounting a small disk is not permitted here."))
  func aRunOutlivesAFullDisk() throws {
    try withDisk(bytes: 1 << 20) { program, disk in
      let options = ["--set", "steps=400", "--set", "evaluate.every=0"]
      #expect(try program.run(Self.pretrain + options + ["--set", "run=whole"]).code == 0)
      let (process, output, errors) = try program.start(
        Self.pretrain + options + [
          "--set", "run=disk/run", "--set", "checkpoint.every=40", "--set", "batch.sequences=2",
        ])
      Program.wait(for: process) { !program.steps("disk/run").isEmpty }
      try disk.fill(leaving: 0)
      let full = program.steps("disk/run").last ?? 0
      usleep(300_000)
      disk.clear()
      let result = Program.finish(process, output, errors)
      #expect(result.code == 0, "\(result.errors)")
      #expect(full < 400 && program.hash("disk/run", step: 400) == program.hash("whole", step: 400))
      #expect(program.metrics("disk/run") == Array(1...400))
    }
  }

  /// A FIFO or a device in the place of a file of the run is named, not waited for.
  @Test func filesOfTheRunFolderThatAreNoFilesFailWithCode5() throws {
    try Program.withCorpus { program in
      func pretrain(steps: Int) throws -> Program.Result {
        try program.run(Self.pretrain + ["--set", "run=run", "--set", "steps=\(steps)"])
      }
      #expect(try pretrain(steps: 2).code == 0)
      for name in ["metrics.jsonl", "config.yaml", "environment.json"] {
        let path = "\(program.folder)/run/\(name)"
        #expect(rename(path, path + ".kept") == 0, "\(name)")
        for device in [nil, "/dev/full"] {
          #expect((device.map { symlink($0, path) } ?? mkfifo(path, 0o600)) == 0)
          let result = try pretrain(steps: 4)
          #expect(result.code == 5, "\(name): \(result)")
          #expect(result.errors.contains("\(name) is not a regular file"), "\(result.errors)")
          #expect(unlink(path) == 0)
        }
        #expect(rename(path + ".kept", path) == 0)
      }
      #expect(try pretrain(steps: 4).code == 0)
    }
  }

  @Test(.enabled(if: Disk.mayMount, "Mounting a small disk is not permitted here."))
  func aReadOnlyDiskFailsWithCode5() throws {
    try withDisk(bytes: 1 << 20) { program, disk in
      let run = ["--set", "run=disk/run", "--set", "steps=6"]
      #expect(try program.run(Self.pretrain + run).code == 0)
      try #require(disk.makeReadOnly())
      for folder in ["disk/run", "disk/other"] {
        let result = try program.run(Self.pretrain + ["--set", "run=\(folder)"])
        #expect(result.code == 5, "\(result.errors)")
        #expect(
          result.errors.contains("ead-only") && result.errors.contains(folder), "\(result.errors)")
      }
      // Reading still works.
      #expect(try program.run(["generate", "disk/run", "Line", "--tokens", "3"]).code == 0)
    }
  }

  /// The newer of two checkpoints is damaged; the next attempt sets it aside and resumes from the
  /// older one.
  @Test(arguments: [
    ("half a manifest", "MANIFEST.json", "MANIFEST"), ("no manifest", "-MANIFEST.json", "MANIFEST"),
    ("half the weights", "model.safetensors", "bytes where the manifest says"),
    ("no optimizer", "-optimizer-00000-of-00001.safetensors", "missing"),
    ("half a state", "state.json", "bytes where the manifest says"),
    ("a link to itself", "@state.json", "symbolic links"),
    ("a manifest that links to itself", "@MANIFEST.json", "symbolic links"),
  ])
  func anIncompleteCheckpointIsSetAsideWithItsReason(name: String, file: String, reason: String)
    throws
  {
    try Program.withCorpus { program in
      let keep = ["--set", "checkpoint.keep=9"]
      for steps in [4, 8] {
        #expect(
          try program.run(Self.pretrain + keep + ["--set", "steps=\(steps)"]).code == 0)
      }
      #expect(program.steps("run").suffix(1) == [8])
      let path = "\(program.checkpoint("run", step: 8))/\(file.drop { "-@".contains($0) })"
      if file.hasPrefix("-") || file.hasPrefix("@") {
        try FileManager.default.removeItem(atPath: "\(program.folder)/\(path)")
        if file.hasPrefix("@") { symlink("\(program.folder)/\(path)", "\(program.folder)/\(path)") }
      } else {
        let bytes = try #require(program.read(path))
        try program.write(bytes.prefix(bytes.count / 2), to: path)
      }
      // The leftover of a crash during a save.
      try program.write("half", to: "run/checkpoints/step-00000009.1-2-3.tmp/model.safetensors")
      let before = program.steps("run").dropLast().last ?? 0
      let result = try program.run(
        Self.pretrain + keep + ["--set", "steps=10"], ranks: Program.mpirun == nil ? nil : 2)
      #expect(result.code == 0, "\(result.errors)")
      for word in ["set aside", "step-00000008", reason, "resuming from", "\(before)"] {
        #expect(result.errors.contains(word), "\(name): \(result.errors)")
      }
      #expect(program.steps("run").contains(10))
      let names = program.names(in: "run/checkpoints")
      #expect(names.contains("step-00000008.damaged"))
      #expect(names.allSatisfy { !$0.hasSuffix(".tmp") })
    }
  }

  @Test func aCheckpointOfAnotherModelIsRefusedAndKept() throws {
    try Program.withCorpus { program in
      #expect(try program.run(Self.pretrain).code == 0)
      let safe = program.hash("run")
      let written = program.read("run/config.yaml")
      for (change, field) in [("model.width=32", "n_embd"), ("model.family=llama", "model")] {
        let result = try program.run(Self.pretrain + ["--set", change])
        #expect(result.code == 2, "\(result.errors)")
        for word in ["another model", field, "run/checkpoints"] {
          #expect(result.errors.contains(word), "\(result.errors)")
        }
      }
      #expect(safe != nil && program.hash("run") == safe)
      #expect(program.read("run/config.yaml") == written)
    }
  }
}

/// A small file system in memory (tmpfs).
struct Disk {
  let path: String

  /// True when this process may mount a file system; prints a line when it may not.
  static let mayMount: Bool = {
    let disk = Disk(path: NSTemporaryDirectory() + "apus-disk-\(UUID().uuidString)")
    try? FileManager.default.createDirectory(
      atPath: disk.path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: disk.path) }
    defer { disk.unmount() }
    if disk.mount(bytes: 1 << 16) { return true }
    print("SKIPPED: full and read-only disks, because mounting is not permitted here")
    return false
  }()

  func mount(bytes: Int) -> Bool { Glibc.mount("tmpfs", path, "tmpfs", 0, "size=\(bytes)") == 0 }

  func makeReadOnly() -> Bool {
    Glibc.mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT | MS_RDONLY), nil) == 0
  }

  func unmount() { umount2(path, Int32(MNT_DETACH)) }

  private var ballast: String { "\(path)/ballast" }

  /// Writes a file that leaves about `room` bytes free.
  func fill(leaving room: Int) throws {
    clear()
    var status = statvfs()
    statvfs(path, &status)
    let free = Int(status.f_bavail) * Int(status.f_frsize)
    let file = open(ballast, O_WRONLY | O_CREAT, 0o644)
    defer { close(file) }
    let zeros = [UInt8](repeating: 0, count: 4096)
    for _ in 0..<max(0, (free - room) / 4096) {
      guard write(file, zeros, 4096) == 4096 else { break }
    }
  }

  func clear() { unlink(ballast) }
}
