import Testing

@testable import Launch

/// The host and the reason in the messages of mpirun 4.1, OpenSSH 9 and apus.
@Suite struct FailureCluesTests {
  private func clues(_ text: String) -> FailureClues {
    var clues = FailureClues()
    // In parts, as a pipe delivers them.
    let bytes = Array(text.utf8) + [0x0A]
    for part in stride(from: 0, to: bytes.count, by: 7) {
      clues.read(bytes[part..<min(part + 7, bytes.count)])
    }
    return clues
  }

  @Test func aKilledRankIsFound() {
    let found = clues(
      """
      apus: rank 0 on node-a: MPI_Recv failed
      --------------------------------------------------------------------------
      mpirun noticed that process rank 1 with PID 4711 on node node-b exited on signal 9 (Killed).
      """)
    let reason = "signal 9 (Killed) ended rank 1"
    #expect(found.finding == .init(host: "node-b", rank: 1, reason: reason))
    #expect(found.lostHost == nil)
  }

  @Test func aLostHostIsFound() {
    let found = clues(
      """
      mpirun noticed that process rank 0 with PID 1 on node node-a exited on signal 9 (Killed).
      ORTE has lost communication with a remote daemon.

        HNP daemon   : [[51413,0],0] on node node-a
        Remote daemon: [[51413,0],2] on node node-b
      """)
    #expect(found.finding?.host == "node-b" && found.lostHost != nil && !found.isUnreachable)
  }

  @Test(arguments: [
    ("ssh: connect to host node-b port 22: Connection refused\r", "ssh: Connection refused"),
    (
      "ssh: Could not resolve hostname node-b: Name or service not known",
      "ssh: Name or service not known"
    ),
    ("me@node-b: Permission denied (publickey).", "ssh: Permission denied (publickey)."),
  ])
  func aHostThatSSHCannotReachIsFound(line: String, reason: String) {
    let found = clues(line)
    #expect(found.isUnreachable && found.finding?.host == "node-b")
    #expect(found.finding?.reason == reason)
  }

  @Test func theFirstRankThatReportsAnErrorIsFound() {
    let found = clues(
      """
      apus: rank 2 on node-c: the disk is full: free some space.
      apus: rank 0 on node-a: the peer was lost.
        Process name: [[7633,1],3]
      """)
    #expect(found.finding?.host == "node-c" && found.finding?.rank == 2)
    #expect(clues("  Process name: [[7633,1],3]").finding?.rank == 3)
    #expect(clues("step 3/9 loss 2.0").finding == nil)
  }

  /// The sentences of a rank's watchdog, and of ranks that compare their weights.
  @Test(
    arguments: [
      (
        "apus: rank 2 on node-c, last seen in the update of step 9, has shown no sign of life for 26 seconds, "
          + "and rank 0 on node-a waits in MPI_Allgather of step 9; the run ends.", "node-c", 2
      ),
      (
        "apus: rank 1 on node-b has made no progress in the save of step 9 for 700 seconds",
        "node-b", 1
      ),
      (
        "apus: rank 1 on node-b computed at step 9 with other weights than the majority of the ranks: x",
        "node-b", 1
      ),
      (
        "apus: rank 2 on node-c computed a wrong gradient in step 9, as the same computation elsewhere",
        "node-c", 2
      ),
      (
        "apus: rank 2 on node-c computed a wrong product on core 3 in the burn-in: the core",
        "node-c",
        2
      ),
      (
        "apus: rank 0 on node-a, rank 1 on node-b computed at step 9 with different weights", nil,
        nil
      ),
      ("apus: rank 0 on node-a: all ranks are in MPI_Barrier, in the update of step 9", nil, nil),
      (
        "apus: rank 1 on node-b, last seen in the time before its first step, has shown no sign of life",
        "node-b", 1
      ),
      (
        "apus: rank number 1 of node-c, counted from 0, is stopped, and has not joined the others",
        "node-c", nil
      ),
      ("apus: rank 0 on node-a has waited 120 seconds in MPI_Bcast before the run began", nil, nil),
    ] as [(String, String?, Int?)])
  func theRankThatOthersReportIsFound(line: String, host: String?, rank: Int?) {
    let found = clues(line)
    #expect(found.finding?.host == host && found.finding?.rank == rank)
    #expect(found.finding?.computesWrongly == (host != nil && line.contains(" computed ")))
    #expect(found.finding.map { "apus: " + $0.reason } == line && found.lostHost == nil)
  }

  @Test func aRankThatWaitsLongIsNoFailure() {
    let line = "apus: rank 0 on a has waited 120 seconds in MPI_Bcast for rank 1 on b, which is in "
    #expect(clues(line + "the preparation of step 1.").finding == nil)
  }

  /// mpirun also sends signals, to the ranks that are left when one has failed.
  @Test func aRequestToStopIsOneOnlyWithoutAFailure() {
    let stop = "stopping  7/9  a signal requested a stop; the same command resumes from here"
    #expect(clues(stop).isStopped && clues(stop).finding == nil)
    // mpirun's report of ranks that ended with 75.
    #expect(clues(stop + "\n  Process name: [[34,1],0]\n  Exit code:    75").isStopped)
    #expect(!clues("step 7/9  loss 2").isStopped)
    #expect(!clues("apus: rank 1 on node-b: the disk is full.\n" + stop).isStopped)
  }

  /// The rank that notices a lost peer is not the one that failed.
  @Test func aVictimIsNotBlamed() {
    let found = clues("apus: rank 0 on node-a: MPI_Recv failed with code 15 (x); abort all ranks.")
    #expect(found.finding != nil && found.finding?.host == nil && found.finding?.rank == nil)
  }

  @Test func whatComesAgainIsARefusal() {
    #expect(clues("There are not enough slots available in the system").refusal != nil)
    #expect(
      clues("apus: attempt a may no longer write to r because attempt b has taken it over;")
        .isSuperseded)
    #expect(clues("rank 1 ended").refusal == nil)
  }

  /// A line without an end must not fill the memory.
  @Test func aLongLineIsCut() {
    var clues = FailureClues()
    for _ in 0..<10 { clues.read([UInt8](repeating: 65, count: 1 << 16)) }
    clues.read("\nssh: connect to host b port 22: no\n".utf8)
    #expect(clues.finding?.host == "b")
  }
}
