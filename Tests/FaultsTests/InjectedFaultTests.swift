import Glibc
import Testing

@testable import Faults

@Suite(.serialized) struct InjectedFaultTests {
  @Test func faultsAreReadWithTheirPlaces() throws {
    let faults = try InjectedFault.list(
      "kill@rank=2,step=17,phase=exchange; fail=ENOSPC@phase=write,times=3 ;delay=0.5;"
        + "exit=7@attempt=2; stop@phase=evaluation; flip=12:31@phase=optimizer")
    #expect(faults.count == 6)
    #expect(
      faults[0] == InjectedFault(action: .kill, phase: .exchange, rank: 2, step: 17))
    #expect(faults[1] == InjectedFault(action: .fail(ENOSPC), phase: .write, times: 3))
    #expect(faults[2] == InjectedFault(action: .delay(0.5)))
    #expect(faults[3] == InjectedFault(action: .exit(7), attempt: 2))
    #expect(faults[4] == InjectedFault(action: .stop, phase: .evaluation))
    #expect(faults[5] == InjectedFault(action: .flip(element: 12, bit: 31), phase: .optimizer))
    #expect(try InjectedFault.list(" ; ").isEmpty)
  }

  @Test(arguments: [
    "kil", "kill=3", "exit", "exit=256", "delay=-1", "delay=x", "fail=EWHAT@phase=write",
    "flip=1:1", "flip=1:32", "kill@rank", "kill@rank=-1", "kill@step=0",
    "kill@phase=lunch", "kill@host=a", "fail=EIO", "flip=1:1@phase=write", "@step=1",
    "kill@step=1.5",
  ])
  func aFaultThatCannotBeReadIsRefused(text: String) {
    #expect {
      try InjectedFault.list(text)
    } throws: { error in
      "\(error)".contains("\"\(text)\" in APUS_FAULT") && "\(error)".contains("unset")
    }
  }

  @Test func aFaultHappensAtItsPlaceAndAsOftenAsItSays() {
    defer { FaultSchedule.set([], rank: 0) }
    FaultSchedule.set(
      [
        InjectedFault(action: .fail(EIO), phase: .write, rank: 1, step: 4, attempt: 2, times: 2),
        InjectedFault(action: .fail(ENOSPC), phase: .publish, rank: 0),
      ], rank: 1)
    FaultSchedule.begin(attempt: 1)
    FaultSchedule.begin(step: 4)
    #expect(FaultSchedule.reach(.write) == nil)
    FaultSchedule.begin(attempt: 2)
    #expect(FaultSchedule.reach(.snapshot) == nil && FaultSchedule.reach(.publish) == nil)
    #expect(FaultSchedule.reach(.write, step: 5) == nil)
    #expect(FaultSchedule.reach(.write) == EIO && FaultSchedule.reach(.write, step: 4) == EIO)
    #expect(FaultSchedule.reach(.write) == nil)
  }

  @Test func aFlippedBitIsThatOfItsElement() {
    defer { FaultSchedule.set([], rank: 0) }
    FaultSchedule.set(
      [InjectedFault(action: .flip(element: 5, bit: 31), phase: .optimizer, step: 2)], rank: 0)
    var values: [Float] = [1, 2, 3]
    for step in 1...3 {
      FaultSchedule.begin(step: step)
      values.withUnsafeMutableBufferPointer { FaultSchedule.reach(.optimizer, flippingIn: $0) }
      #expect(values == (step < 2 ? [1, 2, 3] : [1, 2, -3]))
    }
  }
}
