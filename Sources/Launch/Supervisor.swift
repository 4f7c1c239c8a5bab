import Files
import Foundation

/// Starts a run under `mpirun`, watches it, and starts it again after a failure.
package final class Supervisor {
  private var plan: LaunchPlan
  private var lock: LaunchLock?
  private var policy: RelaunchPolicy
  private var report = LaunchReport()
  private var lastHosts: Hosts?
  private var preflight = Preflight()
  /// The failures of hosts that were named as the reason why they are not used.
  private var leftOut: [String: String] = [:]
  private let memoryPath: String
  /// The checkpoints that the run had at the start of this launch, or before it went back.
  private var olderCheckpoints: [RunState.Checkpoint] = []
  /// The checkpoint to go back to, until the run has saved a newer one.
  private var earlier: String?

  package init(_ plan: LaunchPlan) {
    self.plan = plan
    memoryPath = HostMemory.path(plan.environment)
    policy = RelaunchPolicy()
  }

  /// Runs to the end and returns the exit code: that of the run; 4 after five attempts without
  /// progress; 75 after a request to stop.
  package func run() throws -> Int32 {
    StopRequests.handle()
    setenv(MpirunLine.launcherVariable, "\(getpid())", 1)
    guard LaunchPlan.path(of: "mpirun", in: plan.environment) != nil else {
      throw LaunchError.noMpirun
    }
    let hosts = try plan.hosts()
    _ = try plan.line(on: hosts)
    lock = try plan.folder.map { try LaunchLock(folder: $0, takesOver: plan.takesOver) }
    if let lock {
      plan.environment[LaunchLock.tokenVariable] = lock.token
      setenv(LaunchLock.tokenVariable, lock.token, 1)
    }
    defer { lock?.release() }
    let state = plan.folder.map(RunState.init(folder:))
    olderCheckpoints = state?.checkpoints ?? []
    policy = RelaunchPolicy(
      memory: plan.forgetsFailures ? HostMemory() : HostMemory(path: memoryPath, at: now),
      step: plan.givesResume ? 0 : state?.step)
    lastHosts = hosts
    while true {
      let code = try attempt()
      if let code { return end(code) }
      StandardError.report(report.summary)
    }
  }

  /// Makes one attempt; returns the exit code when no other follows.
  private func attempt() throws -> Int32? {
    let isFirst = report.attempts.isEmpty
    let hosts = isFirst ? lastHosts ?? currentHosts() : currentHosts()
    guard let (start, cooldown, began) = try soundStart(on: hosts, isFirst: isFirst) else {
      return 75
    }
    if start.goesBack { goBack() }
    let state = plan.folder.map(RunState.init(folder:))
    // Until this launch has saved a checkpoint, the user's --resume has yet to take effect.
    let hasSaved = state?.checkpoints.contains { !olderCheckpoints.contains($0) } ?? false
    if hasSaved { earlier = nil }
    let line = try plan.line(on: start.hosts, resuming: earlier, keepsResume: !hasSaved)
    StandardError.report(line.text)
    var record = AttemptRecord(
      attempt: report.attempts.count + 1, start: began, end: began,
      hosts: start.hosts.all.map { "\($0.name):\($0.slots)" }, exitCode: 0)
    let starts = plan.folder.map(RunState.starts)
    let attempt = try Attempt(line.words)
    var (code, isStopped) = watch(attempt, after: starts) {
      var report = report
      record.end = now
      divideTime(of: &record, loses: false, cooldown: cooldown)
      report.append(record)
      StandardError.report("so far " + report.summary)
    }
    // A batch system sends its signal to any process of a job.
    if code == 75, attempt.clues.isStopped { isStopped = true }
    record.exitCode = code
    record.end = now
    return finish(
      record, of: attempt, on: start.hosts, cooldown: cooldown, isStopped: isStopped)
  }

  /// Chooses the next start, waits for its time, and examines its hosts, which are replaced while some
  /// have defects.
  ///
  /// Where all have one, the ranks are tried. Nil after a request to stop.
  ///
  /// - Returns: The start, the seconds waited for it, and the time when its check began.
  /// - Throws: ``LaunchError/defects(of:)`` at the first start, if no host stands by.
  private func soundStart(
    on hosts: Hosts, isFirst: Bool
  ) throws -> (start: RelaunchPolicy.Start, cooldown: Double, began: Double)? {
    var (goesBack, cooldown) = (false, 0.0)
    while true {
      var start = policy.start(on: hosts, spares: plan.spares, isFirst: isFirst, at: now)
      goesBack = goesBack || start.goesBack
      start.goesBack = goesBack
      reportHostsLeftOut(of: hosts, on: start.hosts)
      if start.wait > 0 {
        StandardError.report("the next attempt starts in \(LaunchReport.text(start.wait)).")
      }
      let asked = now
      guard wait(start.wait) else { return nil }
      let began = now
      cooldown += began - asked
      guard plan.checksHosts else { return (start, cooldown, began) }
      guard let defects = defects(of: start.hosts) else { return nil }
      let names = Set(defects.flatMap(\.hosts))
      if names.isEmpty { return (start, cooldown, began) }
      for defect in defects { StandardError.report("\(defect.sentence).") }
      if isFirst, plan.spares == 0 { throw LaunchError.defects(of: names.sorted()) }
      for defect in defects {
        for host in defect.hosts { policy.leaveOut(host, reason: defect.what, at: now) }
      }
      try? policy.memory.save(Array(names), to: memoryPath, at: now)
      if start.hosts.all.allSatisfy({ names.contains($0.name) }) {
        return (start, cooldown, began)
      }
    }
  }

  /// Examines `hosts` while the lock is renewed; returns nil after a request to stop.
  private func defects(of hosts: Hosts) -> [Finding]? {
    let examination = PreflightExamination()
    let (preflight, plan) = (preflight, plan)
    Thread {
      var preflight = preflight
      let folder = FileManager.default.currentDirectoryPath
      let defects = preflight.defects(of: hosts, for: plan, folder: folder)
      examination.result.withLock { $0 = (preflight, defects) }
    }.start()
    while wait(0.02) {
      guard let (preflight, defects) = examination.result.withLock({ $0 }) else { continue }
      self.preflight = preflight
      return defects
    }
    return nil
  }

  /// Names the hosts that are not used because they have failed, also in an earlier launch; once for
  /// each failure.
  private func reportHostsLeftOut(of hosts: Hosts, on chosen: Hosts) {
    for host in hosts.all where !chosen.all.contains(host) {
      let seconds = policy.memory.cooldown(of: host.name, at: now)
      guard let entry = policy.memory.entries[host.name] else { continue }
      guard leftOut.updateValue(entry.reason, forKey: host.name) != entry.reason else { continue }
      StandardError.report(
        seconds > 0
          ? "\(host.name) is left out for \(LaunchReport.text(seconds)), because it failed "
            + "(\(entry.cause)); --forget-failures uses it at once."
          : "\(host.name) stands by, because it failed before (\(entry.cause)).")
    }
  }

  /// Watches the attempt until it has ended; returns its exit code, and true when it was asked to
  /// stop.
  ///
  /// - Parameters:
  ///   - starts: Those of the run folder before the attempt.
  ///   - reporting: Called every ``LaunchPlan/reportSeconds``.
  private func watch(
    _ attempt: Attempt, after starts: Set<FileStatus.Identity>?, reporting: () -> Void
  ) -> (Int32, Bool) {
    var (isAsked, isSaveAsked) = (false, false)
    var reportTime = ContinuousClock.now
    while true {
      if ContinuousClock.now - reportTime > .seconds(plan.reportSeconds) {
        reportTime = .now
        reporting()
      }
      if let code = attempt.wait(milliseconds: 100) {
        // A signal to all processes of a job reaches the ranks and this process in any order.
        if code == 75, !isAsked { _ = wait(0.3) }
        return (code, isAsked || StopRequests.isStopRequested)
      }
      if lock?.renew() == false || StopRequests.isEndRequested {
        isAsked = true
        attempt.requestEnd()
        continue
      }
      // The signal would end a rank that has no handler for it yet.
      isSaveAsked = StopRequests.takeSave() || isSaveAsked
      if isSaveAsked, plan.folder == nil || starts != plan.folder.map(RunState.starts) {
        isSaveAsked = false
        attempt.send(SIGUSR1)
      }
      if isAsked || StopRequests.isStopRequested || attempt.isAskedToStop {
        isAsked = true
        attempt.requestStop(grace: plan.grace)
      }
    }
  }

  /// Records the end of an attempt; returns the exit code when no other follows.
  private func finish(
    _ attempted: AttemptRecord, of attempt: Attempt, on hosts: Hosts, cooldown: Double,
    isStopped: Bool
  ) -> Int32? {
    var record = attempted
    let clues = attempt.clues
    // A full disk is the fault of no host.
    let finding = record.exitCode == 5 ? nil : clues.finding
    let failed = finding.flatMap { finding in
      finding.host.flatMap { hosts.host(called: $0) } ?? finding.rank.flatMap(hosts.host(ofRank:))
    }
    let state = plan.folder.map(RunState.init(folder:))
    var end = RelaunchPolicy.End(code: record.exitCode)
    end.hosts = hosts.all.map(\.name)
    end.failedHost = failed?.name
    end.isLost = clues.lostHost != nil
    end.computesWrongly = finding?.computesWrongly ?? false
    end.reason =
      finding?.reason
      ?? (record.exitCode == 5
        ? "checkpoints cannot be saved, as the message above says" : "no message says why")
    // Until the user's --resume has taken effect, the steps are those of another history.
    let isOld = state?.checkpoints.last.map(olderCheckpoints.contains) ?? false
    end.step = plan.givesResume && isOld ? 0 : state?.step
    end.isStopped = isStopped
    // At the first start a host that ssh cannot reach is an error of the configuration.
    let isUnreachable = report.attempts.isEmpty && clues.isUnreachable && plan.spares == 0
    // After ranks have run with this command, a refusal is the fault of a host.
    let isRefused = clues.refusal != nil && report.attempts.isEmpty
    end.isFinal = isRefused || clues.isSuperseded || isUnreachable
    if record.exitCode != 0, !isStopped {
      record.reason = end.reason + (failed.map { " (host \($0.name))" } ?? "")
      record.failedHost = failed?.name
    }
    // A stop that could not save loses work too.
    let loses = record.exitCode == 5 || record.exitCode != 0 && !isStopped
    divideTime(of: &record, loses: loses, cooldown: cooldown)
    if let failed { preflight.forget(failed.name) }
    report.append(record)
    write(record)
    let code = policy.record(end, at: now)
    try? policy.memory.save(end.hosts, to: memoryPath, at: now)
    if isUnreachable, let finding, !isStopped {
      StandardError.report(
        "host \(finding.host ?? "") cannot be reached (\(finding.reason)): check it with ssh "
          + "\(finding.host ?? "") true, or leave it out of the hosts.")
    } else if let refusal = clues.refusal, code == 2 {
      StandardError.report(
        "mpirun could not start the ranks (\(refusal)); its message above says why: correct the "
          + "command, and start it again.")
    } else if clues.isSuperseded {
      StandardError.report(
        "another run has taken \(plan.folder ?? "the run folder") over: end it before this command is "
          + "started again.")
    } else if code == nil {
      StandardError.report(
        "attempt \(record.attempt) ended with exit code \(record.exitCode): "
          + (record.reason.hasSuffix(".") ? record.reason : record.reason + "."))
    }
    return code
  }

  /// Divides the time of an attempt by its causes, from the metrics of the run or of its stages.
  ///
  /// - Parameter loses: True when what follows the newest checkpoint is lost.
  private func divideTime(of record: inout AttemptRecord, loses: Bool, cooldown: Double) {
    let work = plan.folder.map(RunState.init(folder:))?.stages.map { stage in
      AttemptRecord.Work(
        stage: stage.name.isEmpty ? nil : stage.name,
        lines: MetricsTail.lines(of: stage.metrics, since: record.start),
        kept: loses ? stage.checkpoints.last?.step ?? 0 : nil)
    }
    record.divideTime(work ?? [], cooldown: cooldown)
  }

  /// Prints the report of the whole launch and returns the exit code.
  private func end(_ code: Int32) -> Int32 {
    if code != 0, lock?.isLost == true {
      StandardError.report(
        "another apus launch has taken the run folder over, so this one has ended its ranks.")
      return 75
    }
    if policy.attemptsWithoutProgress >= RelaunchPolicy.mostAttempts {
      for line in report.lines { StandardError.report(line) }
      StandardError.report(
        "the run made no progress in \(policy.attemptsWithoutProgress) attempts, whose ends are "
          + "listed above: mend the cause, and start the same command again.")
    }
    if report.attempts.isEmpty { return code }
    StandardError.report(report.summary)
    if code == 75 {
      let step = plan.folder.map { RunState(folder: $0).step } ?? 0
      StandardError.report(
        "the run has stopped on request" + (step > 0 ? " at step \(step)" : "")
          + "; the same command continues it.")
    }
    return code
  }

  /// The hosts at this moment; those of the last start when they cannot be read.
  private func currentHosts() -> Hosts {
    do {
      let hosts = try plan.hosts()
      _ = try plan.line(on: hosts)
      lastHosts = hosts
      return hosts
    } catch {
      StandardError.report("\(error); the hosts of the last start are used.")
      return lastHosts ?? Hosts.local(slots: 1)
    }
  }

  /// Chooses the checkpoint before the newest one, if there is one.
  private func goBack() {
    guard plan.resumes, let folder = plan.folder else { return }
    let checkpoints = RunState(folder: folder).checkpoints
    guard let before = checkpoints.dropLast().last else { return }
    StandardError.report(
      "the same step has failed \(RelaunchPolicy.mostFailuresOfStep) times, so the run goes back to "
        + "\(before.path).")
    (olderCheckpoints, earlier) = (checkpoints, before.path)
  }

  /// Waits for `seconds`; returns false after a request to stop, or when the lock is lost.
  private func wait(_ seconds: Double) -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while !StopRequests.isStopRequested, lock?.renew() ?? true {
      if ContinuousClock.now >= end { return true }
      usleep(20_000)
    }
    return false
  }

  /// Appends a line to RUN/launch.jsonl; a full disk must not end the run.
  private func write(_ record: AttemptRecord) {
    guard let folder = plan.folder else { return }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      var file = try OutputFile(FileSystem.join(folder, "launch.jsonl"), flags: O_APPEND)
      try file.write(Array(try encoder.encode(record)) + [0x0A])
      try file.close()
    } catch {
      StandardError.report("\(error).")
    }
  }

  private var now: Double { Date().timeIntervalSince1970 }
}

extension Hosts {
  /// The host of `rank`: the ranks fill the hosts in order.
  package func host(ofRank rank: Int) -> Host? {
    var rest = rank
    for host in all {
      if rest < host.slots { return host }
      rest -= host.slots
    }
    return nil
  }
}
