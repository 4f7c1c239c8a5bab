import Foundation
import Testing
import Tokenizers

@testable import Datasets

struct TokenShardTests {
  let scratch: Scratch
  let texts: [[TokenID]] = [[1, 2, 3], [], [255, 0], [9]]

  init() throws { scratch = try Scratch() }

  @discardableResult
  func write(_ name: String = "a.tokens", vocabularySize: Int = 257) throws -> String {
    let writer = try TokenShardWriter(
      scratch.path(name), vocabularySize: vocabularySize, endOfText: 256, fingerprint: 0xFEED)
    for ids in texts { try writer.append(ids, textBytes: ids.count) }
    try writer.finish()
    try writer.publish()
    return scratch.path(name)
  }

  @Test(arguments: [257, 65_536, 65_537, 100_000])
  func aShardIsReadAsItWasWritten(vocabularySize: Int) throws {
    let shard = try TokenShard(opening: try write(vocabularySize: vocabularySize))
    try shard.verify()
    #expect(
      try shard.tokens.ids(in: 0..<10) == [1, 2, 3, 256, 256, 255, 0, 256, 9, 256])
    #expect(shard.tokens.count == 10 && shard.tokens.endOfText == 256)
    #expect(shard.tokens.vocabularySize == vocabularySize && shard.fingerprint == 0xFEED)
    let ranges = try (0..<4).map { try shard.tokenRange(ofDocument: $0) }
    #expect(ranges == [0..<4, 4..<5, 5..<8, 8..<10])
    #expect(shard.summary.textBytes == 6)
    let width = vocabularySize > 65_536 ? 4 : 2
    #expect(try scratch.read("a.tokens").count == 64 + (10 * width + 7) / 8 * 8 + 4 * 8)
  }

  @Test func theBytesMatchTheFormat() throws {
    try write()
    let bytes = try scratch.read("a.tokens")
    #expect(Array(bytes[..<16]) == Array("APUSTOKN".utf8) + [1, 0, 0, 0, 2, 0, 0, 0])
    #expect(Array(bytes[16..<32]) == [10, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0])
    #expect(Array(bytes[40..<48]) == [0xED, 0xFE, 0, 0, 0, 0, 0, 0])
    #expect(Array(bytes[64..<74]) == [1, 0, 2, 0, 3, 0, 0, 1, 0, 1])
    #expect(Array(bytes[88...].prefix(16)) == [0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0])
    // The check value of CRC-32.
    #expect(Array("123456789".utf8).withUnsafeBytes { Checksum.crc32($0) } == 0xCBF4_3926)
  }

  @Test func manyTokensAreWrittenThroughTheBuffer() throws {
    let writer = try TokenShardWriter(
      scratch.path("b.tokens"), vocabularySize: 70_000, endOfText: 69_999, fingerprint: 1)
    let ids = (0..<300_000).map { TokenID($0 % 69_999) }
    try writer.append(ids, textBytes: 5)
    try writer.append(ids, textBytes: 6)
    try writer.finish()
    try writer.publish()
    let shard = try TokenShard(opening: scratch.path("b.tokens"))
    try shard.verify()
    #expect(try shard.tokens.ids(in: 300_001..<600_002) == ids + [69_999])
    #expect(shard.summary.textBytes == 11)
  }

  @Test func nothingAppearsBeforeItIsPublished() throws {
    do {
      let writer = try TokenShardWriter(
        scratch.path("c.tokens"), vocabularySize: 257, endOfText: 256, fingerprint: 1)
      try writer.append([1], textBytes: 1)
      try writer.finish()
      #expect(try !scratch.names().contains("c.tokens"))
    }
    #expect(try scratch.names() == [])
  }

  @Test func everyFlippedByteIsFound() throws {
    try write()
    let whole = try scratch.read("a.tokens")
    for i in whole.indices {
      var flipped = whole
      flipped[i] ^= 0x10
      let path = try scratch.write("flipped.tokens", flipped)
      let error = #expect(throws: DatasetError.self, "byte \(i)") {
        try TokenShard(opening: path).verify()
      }
      var part: String?
      if case .damagedShard(path, let found, let checksum, let recorded) = error {
        part = checksum != recorded ? found : nil
      }
      switch i {
      case ..<8: #expect(error == .notAShard(path: path))
      case 8: #expect(error == .unknownVersion(path: path, found: 17, known: 1))
      case 12..<64 where !(56..<60 ~= i): #expect(part == "header")
      case 64...: #expect(part == "content")
      default: break
      }
    }
  }

  @Test func everyTruncationIsFound() throws {
    try write()
    let whole = try scratch.read("a.tokens")
    for count in whole.indices {
      let path = try scratch.write("cut.tokens", whole[..<count])
      #expect(
        throws: DatasetError.truncatedShard(
          path: path, bytes: count, expected: count < 64 ? 64 : whole.count)
      ) { try TokenShard(opening: path) }
    }
    let path = try scratch.write("long.tokens", whole + [0])
    #expect(
      throws: DatasetError.inconsistentShard(path: path, reason: "1 bytes follow its end")
    ) { try TokenShard(opening: path) }
  }

  /// Writes a shard with `header`, whose checksum is right, and the content of a valid shard.
  func forge(_ header: TokenShardHeader) throws -> String {
    try write()
    return try scratch.write(
      "forged.tokens", header.encoded() + (try scratch.read("a.tokens"))[64...])
  }

  @Test func hostileHeadersAreRefused() throws {
    for (tokens, documents, vocabulary, end) in [
      (Int.max, 4, 257, 256), (Int.max / 2, 4, 257, 256), (10, Int.max, 257, 256),
      (10, 4, 257, 257), (10, 4, Int(UInt32.max), 256), (10, 4, 0, 0), (24, 0, 257, 256),
    ] {
      let path = try forge(
        TokenShardHeader(
          vocabularySize: vocabulary, endOfText: end, fingerprint: 1, tokenCount: tokens,
          documentCount: documents))
      let error = #expect(throws: DatasetError.self) { try TokenShard(opening: path) }
      switch error {
      case .inconsistentShard, .truncatedShard: break
      default: Issue.record("\(tokens) \(documents): \(String(describing: error))")
      }
    }
    var wide = TokenShardHeader(
      vocabularySize: 257, endOfText: 256, fingerprint: 1, tokenCount: 10, documentCount: 4)
    wide.idWidth = 4
    let path = try forge(wide)
    #expect(
      throws: DatasetError.inconsistentShard(
        path: path, reason: "its vocabulary and ids do not agree")
    ) { try TokenShard(opening: path) }
  }

  @Test func idsOutsideTheVocabularyNeverReachABatch() throws {
    // The id 255 in the third document is too large for a vocabulary of 200.
    let path = try forge(
      TokenShardHeader(
        vocabularySize: 200, endOfText: 9, fingerprint: 1, tokenCount: 10, documentCount: 4))
    let shard = try TokenShard(opening: path)
    #expect(
      throws: DatasetError.unknownToken(path: path, position: 3, id: 256, vocabularySize: 200)
    ) { try shard.tokens.ids(in: 1..<10) }
    #expect(try shard.tokens.ids(in: 0..<3) == [1, 2, 3])
  }

  @Test func tablesOutOfOrderAreRefused() throws {
    try write()
    var bytes = try scratch.read("a.tokens")
    bytes[96] = 20
    let path = try scratch.write("table.tokens", bytes)
    let shard = try TokenShard(opening: path)
    #expect(throws: DatasetError.self) { try shard.tokenRange(ofDocument: 0) }
    #expect(throws: DatasetError.self) { try shard.tokenRange(ofDocument: 1) }
    #expect(try shard.tokenRange(ofDocument: 2) == 5..<8)
  }

  @Test func filesThatAreNotShardsAreRefused() throws {
    let text = try scratch.write("a.txt", lines(200))
    #expect(throws: DatasetError.notAShard(path: text)) { try TokenShard(opening: text) }
    #expect(throws: DatasetError.missing(path: scratch.path("none"))) {
      try TokenShard(opening: scratch.path("none"))
    }
    #expect(throws: DatasetError.notAFile(path: scratch.path)) {
      try TokenShard(opening: scratch.path)
    }
  }
}
