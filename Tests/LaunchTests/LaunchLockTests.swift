import Files
import Foundation
import Glibc
import TestFolders
import Testing

@testable import Launch

/// The lock of a run folder.
@Suite struct LaunchLockTests {
  /// Writes the lock of another launch.
  private func write(
    _ folder: TemporaryFolder, host: String, process: Int32, age: Double = 0
  ) throws {
    let text = #"{"host":"\#(host)","process":\#(process),"start":1796000000,"token":"other"}"#
    try folder.write(text.utf8, to: "LAUNCH")
    let then = Int(Date().timeIntervalSince1970 - age)
    var times = [timeval(tv_sec: then, tv_usec: 0), timeval(tv_sec: then, tv_usec: 0)]
    #expect(utimes(folder("LAUNCH"), &times) == 0)
  }

  @Test func theSecondLaunchIsRefusedWithTheNameOfTheFirst() throws {
    let folder = try TemporaryFolder()
    let path = folder("LAUNCH")
    // A live launch renews its lock.
    let renewal = Thread {
      while !Thread.current.isCancelled {
        utimes(path, nil)
        usleep(50_000)
      }
    }
    renewal.start()
    defer { renewal.cancel() }
    try write(folder, host: Host.ownName, process: getppid())
    let error = try #require(throws: LaunchError.self) { try LaunchLock(folder: folder.path) }
    let sentence = "\(error)"
    #expect(sentence.contains("process \(getppid()) on \(Host.ownName), since 2026-11-30T"))
    #expect(sentence.contains("--take-over"))
    #expect(try folder.names() == ["LAUNCH"])
    try write(folder, host: "elsewhere", process: 1)
    #expect(throws: LaunchError.self) { try LaunchLock(folder: folder.path) }
    // A launch at its start has not written the file yet.
    try folder.write([], to: "LAUNCH")
    #expect(throws: LaunchError.self) { try LaunchLock(folder: folder.path) }
  }

  @Test func aStaleLockIsReplaced() throws {
    let folder = try TemporaryFolder()
    var ended = pid_t()
    var words: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
    #expect(posix_spawnp(&ended, "true", nil, nil, &words, environ) == 0)
    waitpid(ended, nil, 0)
    // That of a process that has ended here, and one that is not renewed, whatever its time.
    let first = try LaunchLock(folder: folder.path)
    let text = String(decoding: try folder.read("LAUNCH"), as: UTF8.self)
    first.release()
    let own = text.replacing("\"process\":\(getpid())", with: "\"process\":\(ended)")
    for (text, age, patience) in [(own, 0.0, 30.0), (nil, 40, 0.3), (nil, -3600, 0.3)] {
      try write(folder, host: "elsewhere", process: 1, age: age)
      if let text { try folder.write(text.utf8, to: "LAUNCH") }
      let lock = try LaunchLock(folder: folder.path, patience: patience)
      #expect(lock.isHeld)
      lock.release()
      #expect(try folder.names() == [])
    }
  }

  /// A run that no launch has started keeps away from the folder of a live one.
  @Test func aFolderOfALaunchIsRefusedToOthers() throws {
    let folder = try TemporaryFolder()
    try LaunchLock.requireNone(on: folder.path, token: nil)
    let lock = try LaunchLock(folder: folder.path)
    try LaunchLock.requireNone(on: folder.path, token: lock.token)
    let path = folder.path
    let refused = Tool.inParallel([0, 1, 2]) { task in
      guard task > 0 else {
        // A live launch renews its lock.
        for _ in 0..<10 {
          usleep(100_000)
          utimes("\(path)/LAUNCH", nil)
        }
        return true
      }
      return (try? LaunchLock.requireNone(on: path, token: task == 1 ? nil : "another")) == nil
    }
    #expect(refused == [true, true, true])
    lock.release()
    try LaunchLock.requireNone(on: folder.path, token: nil)
  }

  @Test func aLockThatIsTakenOverIsLost() throws {
    let folder = try TemporaryFolder()
    let first = try LaunchLock(folder: folder("runs/small"))
    let later = ContinuousClock.now + .seconds(4)
    #expect(first.isHeld && first.renew(at: later))
    try FileSystem.removeTree(folder("runs/small/LAUNCH"))
    let second = try LaunchLock(folder: folder("runs/small"))
    #expect(!first.isHeld && !first.renew(at: later + .seconds(4)))
    first.release()
    #expect(second.isHeld)
    second.release()
    // The folder was made by the first, which does not hold it.
    #expect(try folder.names(in: "runs/small") == [])
  }
}
