import Files
import Foundation
import Glibc
import RandomNumbers
import TestFolders
import Testing

@testable import Checkpoints

/// Damage of any kind to the newest of two checkpoints with the files of two ranks: it is detected,
/// the file is named, and the checkpoint before is taken.
@Suite struct DamageTests {
  private let folder: TemporaryFolder
  private let store: CheckpointStore
  private let older: Checkpoint
  private let newest: Checkpoint
  private let shards = (0..<2).map { OptimizerFiles.name(rank: $0, of: 2) }

  init() throws {
    folder = try TemporaryFolder()
    store = CheckpointStore(path: folder.path)
    older = try Self.save(step: 6, in: store)
    newest = try Self.save(step: 7, in: store)
  }

  /// Publishes a checkpoint with weights, the optimizer state of two ranks, and the training state.
  private static func save(step: Int, in store: CheckpointStore) throws -> Checkpoint {
    let draft = try store.draft(step: step, attempt: "one")
    var records: [FileRecord] = []
    let stream = RandomStream(seed: 1, purpose: .probe, step)
    let values = (0..<1536).map { stream.uniform($0) }
    func add(_ name: String, _ tensors: [(name: String, range: Range<Int>)]) throws {
      var file = try draft.file(name)
      try values.withUnsafeBytes { bytes in
        let tensors = tensors.map {
          SafeTensor(
            name: $0.name, dtype: .f32, shape: [$0.range.count],
            bytes: .init(rebasing: bytes[4 * $0.range.lowerBound..<4 * $0.range.upperBound]))
        }
        try SafeTensorsWriter(tensors, metadata: ["format": "pt"]).write(to: &file)
      }
      records.append(try file.close())
    }
    try add("model.safetensors", [("wte.weight", 0..<384), ("ln_f.weight", 384..<512)])
    for rank in 0..<2 {
      let own = 256 * rank..<256 * (rank + 1)
      try add(
        OptimizerFiles.name(rank: rank, of: 2),
        ["m", "v"].enumerated().map { index, name in
          let start = 512 * (index + 1)
          return (
            "\(name).\(own.lowerBound)-\(own.upperBound)",
            start + own.lowerBound..<start + own.upperBound
          )
        })
    }
    var state = TrainingState(settings: ["seed": "1"])
    (state.step, state.tokensSeen) = (step, 128 * step)
    state.recentLosses = [2.5, 2.25]
    var file = try draft.file(TrainingState.fileName)
    try file.write(state.encoded())
    records.append(try file.close())
    return try draft.publish(files: records)
  }

  /// Expects that a reader skips the newest checkpoint because of `file`, for the one before.
  private func expectFallback(
    naming file: String, _ change: @autoclosure () -> String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let recovery = try store.newestIntact()
    let reason = recovery.setAside.first?.reason ?? ""
    // One expectation for thousands of damages.
    if recovery.checkpoint == older, recovery.setAside.map(\.name) == ["step-00000007"],
      reason.hasPrefix(file.isEmpty ? newest.path : "\(newest.path)/\(file) is damaged: ")
    {
      return
    }
    Issue.record(
      "\(file), \(change()): \(recovery.checkpoint?.step ?? -1) \(reason)",
      sourceLocation: sourceLocation)
  }

  /// Writes `bytes` at `offset` of a file of the newest checkpoint, in place.
  private func overwrite(_ name: String, at offset: Int, _ bytes: [UInt8]) throws {
    let file = open("\(newest.path)/\(name)", O_WRONLY)
    defer { close(file) }
    try #require(pwrite(file, bytes, bytes.count, offset) == bytes.count)
  }

  /// Expects that a change of each of these bits of a file is detected.
  private func flip(_ name: String, _ places: some Sequence<Int>, bits: [UInt8]) throws {
    let bytes = try folder.read("step-00000007/\(name)")
    for place in places {
      for bit in bits {
        try overwrite(name, at: place, [bytes[place] ^ bit])
        try expectFallback(naming: name, "byte \(place) ^ \(bit)")
      }
      try overwrite(name, at: place, [bytes[place]])
    }
    #expect(try store.newestIntact() == Recovery(checkpoint: newest, setAside: []))
  }

  private func headerSize(_ name: String) throws -> Int {
    let bytes = try folder.read("step-00000007/\(name)")
    return 8 + (0..<8).reduce(0) { $0 + Int(bytes[$1]) << (8 * $1) }
  }

  /// The lowest bit makes another digit, 0x20 another case, and 0x80 no ASCII.
  @Test func everyFlippedByteOfManifestStateAndHeadersIsDetected() throws {
    for name in [Manifest.fileName, TrainingState.fileName] {
      try flip(
        name, folder.read("step-00000007/\(name)").indices, bits: [0x01, 0x10, 0x20, 0x80])
    }
    for name in ["model.safetensors"] + shards {
      try flip(name, 0..<headerSize(name), bits: [0x01, 0x20, 0x80])
    }
  }

  @Test func aThousandFlippedDataBytesAreDetected() throws {
    var random = RandomSequence(RandomStream(seed: 2, purpose: .probe))
    for name in ["model.safetensors"] + shards {
      let data = try headerSize(name)..<folder.read("step-00000007/\(name)").count
      for _ in 0..<334 {
        let place = Int.random(in: data, using: &random)
        try flip(name, [place], bits: [1 << UInt8.random(in: 0..<8, using: &random)])
      }
    }
  }

  /// At every fiftieth of each file, and where one of its parts ends.
  @Test func everyTruncationIsDetected() throws {
    for name in newest.manifest.files.map(\.name) + [Manifest.fileName] {
      let bytes = try folder.read("step-00000007/\(name)")
      var sizes = Set((0..<50).map { $0 * bytes.count / 50 })
      for (place, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
        sizes.formUnion([place, place + 1])
      }
      if name.hasSuffix(".safetensors") {
        let header = try headerSize(name)
        sizes.formUnion([7, 8, 9, header - 1, header, header + 1])
        for tensor in try SafeTensorsFile(path: "\(newest.path)/\(name)").names {
          let size = try SafeTensorsFile(path: "\(newest.path)/\(name)").tensor(named: tensor)
          sizes.insert(min(bytes.count - 1, header + size.bytes.count))
        }
      }
      sizes.insert(bytes.count - 1)
      for size in sizes where size < bytes.count {
        try #require(truncate("\(newest.path)/\(name)", off_t(size)) == 0)
        try expectFallback(naming: name, "\(size) bytes")
        try overwrite(name, at: 0, bytes)
      }
      try overwrite(name, at: bytes.count, [0x20])
      try expectFallback(naming: name, "a byte more")
      try #require(truncate("\(newest.path)/\(name)", off_t(bytes.count)) == 0)
    }
    #expect(try store.newestIntact() == Recovery(checkpoint: newest, setAside: []))
  }

  /// Files of the same names and sizes, with the contents of the other rank or of another step.
  @Test func swappedShardsAndMixedStepsAreDetected() throws {
    let contents = try shards.map { try folder.read("step-00000007/\($0)") }
    #expect(contents[0].count == contents[1].count)
    try overwrite(shards[0], at: 0, contents[1])
    try overwrite(shards[1], at: 0, contents[0])
    try expectFallback(naming: shards[0], "swapped")
    for (shard, bytes) in zip(shards, contents) { try overwrite(shard, at: 0, bytes) }
    for file in newest.manifest.files {
      let (own, other) = try (
        folder.read("step-00000007/\(file.name)"), folder.read("step-00000006/\(file.name)")
      )
      #expect(own.count == other.count && own != other)
      try overwrite(file.name, at: 0, other)
      try expectFallback(naming: file.name, "of another step")
      try overwrite(file.name, at: 0, own)
    }
    // Another step's manifest, alone and with all its files.
    try folder.write(
      folder.read("step-00000006/\(Manifest.fileName)"), to: "step-00000007/\(Manifest.fileName)")
    try expectFallback(naming: "", "another step's manifest")
    for file in older.manifest.files {
      try overwrite(file.name, at: 0, folder.read("step-00000006/\(file.name)"))
    }
    try expectFallback(naming: "", "another step's folder")
    #expect(try store.newestIntact().setAside[0].reason.contains("its manifest is of step 6"))
  }

  @Test func missingFilesAreDetectedAndStrayOnesAreNotRead() throws {
    for file in newest.manifest.files {
      try FileManager.default.moveItem(
        atPath: "\(newest.path)/\(file.name)", toPath: folder("aside"))
      try expectFallback(naming: file.name, "missing")
      try FileManager.default.moveItem(
        atPath: folder("aside"), toPath: "\(newest.path)/\(file.name)")
    }
    // A shard of another number of ranks, with other values.
    let stray = OptimizerFiles.name(rank: 0, of: 1)
    try folder.write(folder.read("step-00000006/\(shards[0])"), to: "step-00000007/\(stray)")
    #expect(try store.newestIntact() == Recovery(checkpoint: newest, setAside: []))
    var read = [Float](repeating: -1, count: 512)
    try read.withUnsafeMutableBufferPointer {
      try OptimizerFiles.read(from: newest, ranges: [0..<512], state: [("m", $0)])
    }
    let stream = RandomStream(seed: 1, purpose: .probe, 7)
    #expect(read == (512..<1024).map { stream.uniform($0) })
  }

  /// A program that resumes sets the damaged checkpoint aside with a reason, once.
  @Test(arguments: [Manifest.fileName, TrainingState.fileName, "model.safetensors"])
  func aDamagedCheckpointIsSetAside(name: String) throws {
    var bytes = try folder.read("step-00000007/\(name)")
    bytes[bytes.count / 2] ^= 4
    try overwrite(name, at: 0, bytes)
    let recovery = try store.newestVerified()
    #expect(recovery.checkpoint == older)
    #expect(recovery.setAside.map(\.newName) == ["step-00000007.damaged"])
    let written = try folder.read("step-00000007.damaged/REASON.txt")
    let reason = String(decoding: written, as: UTF8.self)
    #expect(reason.hasPrefix("\(newest.path)/\(name) is damaged: its "), "\(reason)")
    #expect(try store.newestVerified() == Recovery(checkpoint: older, setAside: []))
  }
}
