import Glibc
import TestFolders
import Testing

@testable import Files

@Suite struct MappedFileTests {
  @Test func aFileShortenedWhileItIsMappedEndsTheProcessWithItsName() async throws {
    let result = await #expect(
      processExitsWith: .exitCode(5), observing: [\.standardErrorContent]
    ) {
      let folder = try TemporaryFolder()
      try folder.write([UInt8](repeating: 7, count: 100), to: "other")
      try folder.write([UInt8](repeating: 7, count: 20_000), to: "shards\n")
      // A mapping that was there before is not taken for the one that fails.
      _ = try MappedFile(folder("shards\n"))
      let (other, mapped) = (try MappedFile(folder("other")), try MappedFile(folder("shards\n")))
      truncate(folder("shards\n"), 5000)
      // The page that the file still has is read.
      guard mapped.bytes[4999] == 7, other.bytes[99] == 7 else { exit(1) }
      exit(Int32(mapped.bytes[8192]))
    }
    let errors = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    let sentences = errors.split(separator: "\n").filter { $0.hasPrefix("apus: ") }
    #expect(sentences.count == 1 && errors.contains("shards? can no longer be read"), "\(errors)")
  }

  @Test func anotherBusErrorKeepsItsAction() async {
    await #expect(processExitsWith: .signal(SIGBUS)) {
      signal(SIGBUS, SIG_DFL)
      let folder = try TemporaryFolder()
      try folder.write([1], to: "file")
      let mapped = try MappedFile(folder("file"))
      raise(SIGBUS)
      exit(Int32(mapped.bytes[0]))
    }
  }
}
