import Testing

@testable import Monitoring

@Suite struct ProcessMemoryTests {
  @Test func statusFieldsAreParsed() {
    let status = "Name:\tVmRSS: 5 kB\nVmHWM:\t  2048 kB\nVmRSS:\t    1024 kB\nVmLck: 1 MB\n"
    #expect(ProcessMemory.bytes(of: "VmRSS", in: status) == 1 << 20)
    #expect(ProcessMemory.bytes(of: "VmHWM", in: status) == 2 << 20)
    #expect(ProcessMemory.bytes(of: "VmLck", in: status) == nil)
    #expect(ProcessMemory.bytes(of: "VmSwap", in: status) == nil)
  }

  @Test func controlGroupsIncludeTheirParents() {
    #expect(
      ProcessMemory.limitFiles(in: "1:cpu:/x\n0::/job/step\n")
        == ["/job/step/memory.max", "/job/memory.max", "/memory.max"])
    #expect(ProcessMemory.limitFiles(in: "0::/\n") == ["/memory.max"])
    #expect(ProcessMemory.limitFiles(in: "1:cpu:/x\n").isEmpty)
    #expect(
      ProcessMemory.limitFiles(in: "8:pids:/\n4:cpu,memory:/job\n0::/\n")
        == ["/memory/job", "/memory"].map { "\($0)/memory.limit_in_bytes" } + ["/memory.max"])
    #expect(ProcessMemory.available() > 1 << 20)
    #expect(ProcessMemory.available(ranks: 4) < ProcessMemory.available())
  }

  @Test func allocatedMemoryIsCounted() throws {
    let before = try #require(ProcessMemory.resident())
    let block = [UInt8](repeating: 1, count: 64 << 20)
    let after = try #require(ProcessMemory.resident())
    let peak = try #require(ProcessMemory.peak())
    #expect(after - before > 48 << 20)
    #expect(peak >= after - (1 << 20))
    #expect(block.last == 1)
  }
}
