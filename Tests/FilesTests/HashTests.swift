import TestFolders
import Testing

@testable import Files

@Suite struct HashTests {
  // FIPS 180-2, appendix B.1.
  private static let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

  @Test func fnv1aEqualsItsPublishedValues() {
    #expect(FNV1a(Array("foobar".utf8)).value == 0x8594_4171_F739_67E8)
    #expect(FNV1a([]).value == 0xCBF2_9CE4_8422_2325)
  }

  @Test func sha256IsTheSameInMemoryAndOnDisk() throws {
    #expect(ContentDigest.sha256(of: "abc".utf8) == Self.abc)
    let folder = try TemporaryFolder()
    try folder.write(Array("abc".utf8), to: "a")
    #expect(try InputFile(folder("a")).sha256() == Self.abc)
    let bytes = (0..<(DurableFile.chunkSize + 5)).map { UInt8(truncatingIfNeeded: $0 / 251) }
    try folder.write(bytes, to: "b")
    #expect(try InputFile(folder("b")).sha256() == ContentDigest.sha256(of: bytes))
  }
}
