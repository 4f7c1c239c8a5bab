import TestFolders
import Testing

@testable import Launch

/// The decisions after failures; the time of each is given.
@Suite struct RelaunchPolicyTests {
  private func end(
    _ code: Int32 = 137, step: Int? = nil, on hosts: [String] = ["a"], failed: String? = nil,
    isLost: Bool = false
  ) -> RelaunchPolicy.End {
    var end = RelaunchPolicy.End(code: code)
    (end.step, end.hosts, end.failedHost, end.isLost) = (step, hosts, failed, isLost)
    return end
  }

  private func names(_ start: RelaunchPolicy.Start) -> [String] { start.hosts.all.map(\.name) }

  @Test(arguments: [0, 2, 3, 64] as [Int32])
  func theseCodesAreNeverTriedAgain(code: Int32) {
    var policy = RelaunchPolicy()
    #expect(policy.record(end(code), at: 0) == code)
  }

  @Test(arguments: [1, 5, 75, 134, 137, 139] as [Int32])
  func theseCodesAreTriedAgain(code: Int32) {
    var policy = RelaunchPolicy()
    #expect(policy.record(end(code, step: 3), at: 0) == nil)
    var stopped = end(code, step: 4)
    stopped.isStopped = true
    #expect(policy.record(stopped, at: 0) == (code == 5 ? 5 : 75))
  }

  /// Each of two lost hosts is out of its cool-down when the other one is found: neither is tried
  /// again before the run has advanced without them.
  @Test func twoLostHostsDoNotAlternate() throws {
    let hosts = try Hosts(list: "a:1,b:1,c:1")
    var policy = RelaunchPolicy()
    #expect(policy.record(end(1, step: 9, failed: "b", isLost: true), at: 10) == nil)
    #expect(names(policy.start(on: hosts, at: 10)) == ["a", "c"])
    #expect(policy.record(end(1, step: 9, failed: "c", isLost: true), at: 21) == nil)
    #expect(policy.record(end(1, step: 9, failed: "b", isLost: true), at: 40) == nil)
    #expect(names(policy.start(on: hosts, at: 300)) == ["a"])
    #expect(policy.record(end(137, step: 12), at: 310) == nil)
    #expect(names(policy.start(on: hosts, at: 1000)) == ["a", "b", "c"])
  }

  /// A host that computes wrongly stays out, also of later runs, until no other is left.
  @Test func aHostThatComputesWronglyIsLeftOut() throws {
    let hosts = try Hosts(list: "a:1,b:1,c:1")
    var policy = RelaunchPolicy()
    var wrong = end(75, step: 9, on: ["a", "b"], failed: "b")
    wrong.computesWrongly = true
    #expect(policy.record(wrong, at: 10) == nil)
    let next = policy.start(on: hosts, spares: 1, at: 10)
    #expect(names(next) == ["a", "c"] && next.wait == 0)
    #expect(policy.record(end(137, step: 90, on: ["a", "c"]), at: 5000) == nil)
    #expect(names(policy.start(on: hosts, spares: 0, at: 5000)) == ["a", "c"])
    var later = RelaunchPolicy(memory: policy.memory)
    #expect(names(later.start(on: hosts, isFirst: true, at: 6000)) == ["a", "c"])
    let alone = later.start(on: try Hosts(list: "b:1"), isFirst: true, at: 6000)
    #expect(names(alone) == ["b"] && alone.wait == 0)
    (wrong.failedHost, wrong.step) = ("a", 95)
    #expect(later.record(wrong, at: 6100) == nil)
    #expect(names(later.start(on: hosts, at: 6100)) == ["c"])
  }

  @Test func aRefusedCommandLineIsFinal() {
    var policy = RelaunchPolicy()
    var refused = end(1)
    refused.isFinal = true
    #expect(policy.record(refused, at: 0) == 2)
    refused.code = 5
    #expect(policy.record(refused, at: 0) == 5)
  }

  /// A disk that is full once more needs a human.
  @Test func twoAttemptsThatCannotSaveEndTheRun() {
    var policy = RelaunchPolicy(step: 10)
    #expect(policy.record(end(5, step: 10), at: 0) == nil)
    #expect(policy.record(end(5, step: 9), at: 0) == 5)
    #expect(policy.memory.entries.isEmpty)
  }

  /// At once, then after 5, 10 and 20 seconds; then it ends.
  @Test func fiveAttemptsWithoutProgressEndTheRun() throws {
    var policy = RelaunchPolicy(step: 10)
    let hosts = Hosts.local(slots: 2)
    var waits: [Double] = []
    for _ in 1...4 {
      #expect(policy.record(end(step: 10, failed: "localhost"), at: 100) == nil)
      waits.append(policy.start(on: hosts, at: 100).wait)
    }
    #expect(waits == [0, 5, 10, 20])
    #expect(policy.record(end(step: 9, failed: "localhost"), at: 100) == 4)
  }

  @Test func progressForgives() {
    var policy = RelaunchPolicy()
    for step in 1...20 {
      #expect(policy.record(end(step: step, failed: "a"), at: 0) == nil)
      #expect(policy.start(on: Hosts([Host(name: "a", slots: 1)]), at: 0).wait == 0)
    }
    // A run without a folder to see steps in makes no progress.
    for attempt in 1...5 {
      #expect(policy.record(end(), at: 0) == (attempt == 5 ? 4 : nil))
    }
  }

  @Test func aLostHostIsLeftOutForItsCooldown() throws {
    let hosts = try Hosts(list: "a:2,b:1,c:1")
    var policy = RelaunchPolicy()
    #expect(names(policy.start(on: hosts, isFirst: true, at: 0)) == ["a", "b", "c"])
    let lost = end(step: 5, on: ["a", "b", "c"], failed: "b", isLost: true)
    #expect(policy.record(lost, at: 0) == nil)
    let next = policy.start(on: hosts, at: 1)
    #expect(names(next) == ["a", "c"] && next.wait == 0)
    #expect(names(policy.start(on: hosts, at: 5)) == ["a", "b", "c"])
    // Twice as long after each failure without progress, at most ten minutes.
    #expect(policy.record(lost, at: 10) == nil)
    #expect(policy.memory.cooldown(of: "b", at: 10) == 10)
    #expect((1...12).map(HostMemory.cooldown).suffix(5) == [600, 600, 600, 600, 600])
    #expect((0...7).map(HostMemory.cooldown) == [0, 5, 10, 20, 40, 80, 160, 320])
  }

  @Test func sparesStandByAndReplace() throws {
    let hosts = try Hosts(list: "a:1,b:1,c:1")
    var policy = RelaunchPolicy()
    #expect(names(policy.start(on: hosts, spares: 1, isFirst: true, at: 0)) == ["a", "b"])
    let lost = end(step: 5, on: ["a", "b"], failed: "a", isLost: true)
    #expect(policy.record(lost, at: 0) == nil)
    #expect(names(policy.start(on: hosts, spares: 1, at: 0)) == ["b", "c"])
    // After its cool-down, the host that failed is the spare one.
    #expect(names(policy.start(on: hosts, spares: 1, at: 60)) == ["b", "c"])
    #expect(names(policy.start(on: hosts, spares: 9, at: 60)) == ["b"])
  }

  @Test func whereAllHostsCoolDownTheRunWaits() throws {
    let hosts = try Hosts(list: "a:1,b:1")
    var policy = RelaunchPolicy()
    for host in ["a", "b"] {
      _ = policy.record(end(step: 5, on: ["a", "b"], failed: host, isLost: true), at: 0)
    }
    let next = policy.start(on: hosts, at: 2)
    #expect(names(next) == ["a", "b"] && next.wait == 3)
    // A person who starts a run does not wait.
    let first = policy.start(on: hosts, isFirst: true, at: 2)
    #expect(names(first) == ["a", "b"] && first.wait == 0)
  }

  @Test func theSameStepFailingThreeTimesGoesBack() {
    let hosts = Hosts.local(slots: 1)
    var policy = RelaunchPolicy()
    var back: [Bool] = []
    for step in [7, 7, 7, 7, 8, 9, 9] {
      _ = policy.record(end(step: step), at: 0)
      back.append(policy.start(on: hosts, at: 0).goesBack)
    }
    #expect(back == [false, false, true, false, false, false, false])
  }

  /// Lines of the metrics that a killed rank had not written make its steps inexact.
  @Test func stepsOfKilledRunsAreInexact() {
    var policy = RelaunchPolicy()
    var back: [Bool] = []
    for step in [17, 15, 16, 18, 17, 18] {
      _ = policy.record(end(step: step), at: 0)
      back.append(policy.start(on: Hosts.local(slots: 1), at: 0).goesBack)
    }
    #expect(back == [false, false, true, false, false, true])
  }

  /// A clock that was wrong leaves no host out for ever, and one bad entry hides no other.
  @Test func oddEntriesOfTheMemoryAreBounded() throws {
    let folder = try TemporaryFolder()
    let text = """
      {"a": {"failures": 9223372036854775807, "until": 1e300, "reason": "x"},
      "b": {"failures": 1.5}, "c": {"failures": 1, "until": 1050, "reason": "lost"}}
      """
    try folder.write(text.utf8, to: "hosts.json")
    var memory = HostMemory(path: folder("hosts.json"), at: 1000)
    #expect(memory.cooldown(of: "a", at: 1000) == HostMemory.forgetting)
    memory.record("a", isLost: true, reason: "again", at: 1000)
    #expect(memory.cooldown(of: "a", at: 1000) == HostMemory.longestCooldown)
    #expect(memory.cooldown(of: "c", at: 1000) == 50 && memory.failures(of: "b") == 0)
  }

  @Test func failuresAreRememberedAcrossRuns() throws {
    let folder = try TemporaryFolder()
    let path = HostMemory.path(["XDG_STATE_HOME": folder("state"), "HOME": "/nowhere"])
    #expect(path == folder("state/apus/hosts.json"))
    #expect(HostMemory.path(["HOME": "/h"]) == "/h/.local/state/apus/hosts.json")
    var memory = HostMemory(path: path, at: 0)
    memory.record("b", isLost: true, reason: "lost", at: 100)
    try memory.save(["a", "b"], to: path, at: 100)
    var other = HostMemory()
    other.record("c", isLost: false, reason: "signal", at: 100)
    try other.save(["c"], to: path, at: 100)
    let read = HostMemory(path: path, at: 101)
    #expect(read.failures(of: "b") == 1 && read.cooldown(of: "b", at: 101) == 4)
    #expect(read.failures(of: "c") == 1)
    var policy = RelaunchPolicy(memory: read)
    let hosts = try Hosts(list: "b:1,a:1,c:1")
    #expect(names(policy.start(on: hosts, spares: 2, isFirst: true, at: 200)) == ["a"])
    #expect(HostMemory(path: path, at: 1e6).failures(of: "b") == 0)
    memory.forgive(["b"])
    try memory.save(["b"], to: path, at: 101)
    #expect(HostMemory(path: path, at: 101).failures(of: "b") == 0)
    try folder.write("{".utf8, to: "state/apus/hosts.json")
    #expect(HostMemory(path: path, at: 101) == HostMemory())
  }
}
