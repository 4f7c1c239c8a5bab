import Glibc
import Testing

@testable import Tensors

/// Memory that another process maps; here this process maps its own a second time.
@Suite struct SharedMemoryTests {
  /// Less than a huge page, and several with a rest.
  private static let counts = [1000, 3_000_001]

  @Test(arguments: counts) func bothMappingsAreOneMemory(count: Int) throws {
    let own = FlatBuffer(count: count, isShared: true)
    #expect(own.elements.allSatisfy { $0 == 0 })
    let handle = SharedMemoryHandle(words: try #require(own.handle).words)
    let reader = try FlatBuffer(mapping: handle)
    let writer = try FlatBuffer(mapping: handle, isWritable: true)
    #expect(reader.elements.count == count)
    own.elements[count - 1] = 3
    writer.elements[0] = 2
    #expect(reader.elements[count - 1] == 3)
    #expect(reader.elements[0] == 2 && own.elements[0] == 2)
  }

  /// The elements of a released range are mapped again, and no longer count as resident before.
  @Test func releasedPagesKeepTheirElements() throws {
    let count = 16 << 20
    let own = FlatBuffer(count: count, isShared: true)
    for index in stride(from: 0, to: count, by: 512) { own.elements[index] = Float(index) }
    let reader = try FlatBuffer(mapping: try #require(own.handle))
    let sum = {
      stride(from: 0, to: count, by: 512).reduce(0.0) { $0 + Double(reader.elements[$1]) }
    }
    let expected = sum()
    let before = resident(reader)
    reader.release(100..<count)
    let after = resident(reader)
    #expect(before >= 60 << 10)
    #expect(after <= 2 << 10)
    #expect(sum() == expected)
  }

  /// The resident KiB of the mapping at which `buffer` begins.
  private func resident(_ buffer: FlatBuffer) -> Int {
    let start = String(UInt(bitPattern: buffer.elements.baseAddress), radix: 16)
    var lines = text("/proc/self/smaps").split(separator: "\n").drop { !$0.hasPrefix("\(start)-") }
    lines = lines.drop { !$0.hasPrefix("Rss:") }
    return lines.first.flatMap { line in
      line.split(separator: " ").compactMap { Int($0) }.first
    } ?? -1
  }

  private func text(_ path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
      bytes += chunk[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func memoryOfAnotherProcessIsNotMistaken() throws {
    let own = FlatBuffer(count: 1000, isShared: true)
    let words = try #require(own.handle).words
    for (place, change) in [(1, Int64(STDIN_FILENO)), (2, words[2] + 1), (3, words[3] + 4096)] {
      var other = words
      other[place] = change
      let code = #expect(throws: SharedMemoryRefusal.self) {
        _ = try FlatBuffer(mapping: SharedMemoryHandle(words: other))
      }?.code
      #expect(code == ESTALE || place == 1)
    }
    var ended = words
    ended[0] = Int64(Int32.max)
    #expect(throws: SharedMemoryRefusal(code: ENOENT)) {
      _ = try FlatBuffer(mapping: SharedMemoryHandle(words: ended))
    }
  }

  @Test func privateMemoryHasNoHandle() {
    #expect(FlatBuffer(count: 1000).handle == nil)
    #expect(FlatBuffer(count: 0, isShared: true).handle == nil)
  }
}
