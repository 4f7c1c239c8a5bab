import Foundation
import Testing

@testable import Benchmarks

struct OtherLoadTests {
  @Test func busyTimeExcludesIdleAndWaitingAndIncludesSteal() {
    let text = "cpu  100 20 30 5000 700 4 6 40 999 999\ncpu0 1 1 1 1 1 1 1 1 0 0\n"
    #expect(OtherLoad.busySeconds(in: text, ticks: 100) == 2)
    #expect(OtherLoad.busySeconds(in: "intr 1 2 3", ticks: 100) == nil)
  }

  /// The CPU time of a child that was waited for does not count as other load.
  @Test func childrenDoNotCountAsOtherLoad() throws {
    let spin = ["sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"]
    let load = OtherLoad()
    let before = OtherLoad.ownSeconds()
    _ = try ChildProcess.output(of: spin, errors: "/dev/null")
    #expect(OtherLoad.ownSeconds() - before > 0.05)
    #expect((0...1.5).contains(load.fraction()))
  }
}
