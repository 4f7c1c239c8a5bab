import Monitoring
import Testing

@testable import Tensors

@Suite(.serialized) struct FlatBufferTests {
  @Test(arguments: [0, 1, 1000, 1 << 20, 3 << 20])
  func elementsAreZeroAndWritable(count: Int) {
    let buffer = FlatBuffer(count: count)
    #expect(buffer.elements.count == count && buffer.elements.allSatisfy { $0 == 0 })
    buffer.elements.update(repeating: 1)
    #expect(buffer.elements.allSatisfy { $0 == 1 })
  }

  @Test func refusedMemoryEndsTheProcessWithASentence() async {
    let result = await #expect(
      processExitsWith: .exitCode(2), observing: [\.standardErrorContent]
    ) {
      _ = PageMemory(bytes: 1 << 50)
    }
    let errors = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(errors.contains("apus: the system refuses 1073741824 MiB"), "\(errors)")
  }

  @Test func largeBuffersBeginAtAHugePage() {
    let buffer = BF16Buffer(count: 4 << 20)
    #expect(UInt(bitPattern: buffer.elements.baseAddress) % (2 << 20) == 0)
  }

  /// Freed buffers return their memory, so that the next ones are zero again.
  @Test func aBufferTakesMemoryWhenItIsWritten() throws {
    let before = try #require(ProcessMemory.resident())
    for _ in 0..<4 {
      let buffer = FlatBuffer(count: 64 << 20)
      let unused = try #require(ProcessMemory.resident())
      #expect(unused - before < 32 << 20)
      #expect(buffer.elements[5] == 0 && buffer.elements[40 << 20] == 0)
      buffer.elements[..<(32 << 20)].update(repeating: 1)
      #expect(try #require(ProcessMemory.resident()) - unused >= 120 << 20)
    }
  }
}
