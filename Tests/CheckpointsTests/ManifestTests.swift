import Files
import Foundation
import TestFolders
import Testing

@testable import Checkpoints

@Suite struct ManifestTests {
  private let manifest = Manifest(
    step: 1000,
    files: [
      FileRecord(name: "state.json", size: 12, sha256: String(repeating: "b", count: 64)),
      FileRecord(name: "config.json", size: 0, sha256: String(repeating: "a", count: 64)),
    ])

  /// Returns the bytes of a manifest with this body and a valid seal, as an attacker would write
  /// them.
  private func sealed(_ body: String) throws -> [UInt8] {
    let folder = try TemporaryFolder()
    var file = try DurableFile(creating: folder("a"))
    try file.write(body)
    return Array((body + "  \"manifest\": \"\(try file.close().sha256)\"\n}\n").utf8)
  }

  @Test func equalFilesGiveEqualBytes() throws {
    let text = """
      {
        "version": 1,
        "step": 1000,
        "files": [
          {"name": "config.json", "size": 0, "sha256": "\(String(repeating: "a", count: 64))"},
          {"name": "state.json", "size": 12, "sha256": "\(String(repeating: "b", count: 64))"}
        ],

      """
    #expect(try manifest.encoded == sealed(text))
    #expect(Manifest(step: 1000, files: manifest.files.reversed()).encoded == manifest.encoded)
    #expect(try Manifest(decoding: manifest.encoded, path: "p") == manifest)
    #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(manifest.encoded)) }
  }

  @Test func aManifestWithoutFilesIsRead() throws {
    let empty = Manifest(step: 0, files: [])
    #expect(try Manifest(decoding: empty.encoded, path: "p") == empty)
  }

  @Test func anUnknownVersionIsAnError() throws {
    let bytes = try sealed("{\n  \"version\": 2,\n  \"shards\": {},\n")
    #expect(throws: CheckpointError.unknownVersion(path: "p", found: 2, supported: 1)) {
      try Manifest(decoding: bytes, path: "p")
    }
  }

  @Test(arguments: [
    "", "{\n", "{\n  \"version\": \"1\",\n", "{\n  \"version\": 1,\n", "[\n",
    "{\n  \"version\": 1,\n  \"step\": -1,\n  \"files\": [],\n",
    "{\n  \"version\": 1,\n  \"step\": 1e99,\n  \"files\": [],\n",
    "{\n  \"version\": 1,\n  \"step\": 1,\n  \"files\": [{\"name\": \"a\", \"size\": 1}],\n",
  ])
  func invalidContentsUnderAValidSealAreRefused(body: String) throws {
    let bytes = try sealed(body)
    #expect {
      try Manifest(decoding: bytes, path: "p")
    } throws: {
      if case .damaged = $0 as? CheckpointError { true } else { false }
    }
  }

  @Test(arguments: [
    "../a", "a/b", "", ".", "..", ".hidden", "MANIFEST.json", "a b", "é", "a\\u0000",
  ])
  func namesOutsideTheFolderAreRefused(name: String) throws {
    let bytes = try sealed(
      """
      {
        "version": 1, "step": 1,
        "files": [{"name": "\(name)", "size": 1, "sha256": "x"}],

      """)
    #expect(throws: CheckpointError.self) { try Manifest(decoding: bytes, path: "p") }
  }

  @Test func duplicateNamesAndNegativeSizesAreRefused() throws {
    let file = "{\"name\": \"a\", \"size\": 1, \"sha256\": \"x\"}"
    let negative = "{\"name\": \"a\", \"size\": -1, \"sha256\": \"x\"}"
    for files in ["\(file), \(file)", negative] {
      let bytes = try sealed("{\n  \"version\": 1, \"step\": 1, \"files\": [\(files)],\n")
      #expect(throws: CheckpointError.self) { try Manifest(decoding: bytes, path: "p") }
    }
  }
}
