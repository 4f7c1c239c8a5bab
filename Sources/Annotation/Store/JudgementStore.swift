import Files
import Foundation
import GRDB

/// Pairs and judgements in an SQLite file, for several annotators and processes at once.
///
/// A judgement is durable before it is acknowledged: each is a separate transaction in a write-ahead
/// log that is synchronised (`synchronous = FULL`), so it survives `kill -9` and a power failure.
/// Processes that write at the same time wait for each other. The file and its `-wal` and `-shm` belong
/// together during annotation; they need a local disk, because SQLite's locks do not work over a
/// network.
package struct JudgementStore: Sendable {
  /// The path of the file.
  package let path: String
  /// The seed of the order and the sides.
  package let seed: UInt64
  private let queue: DatabaseQueue

  /// The time that one process waits for the transaction of another, in seconds.
  private static let lockTimeout = 30
  /// The time between two attempts to open a file that another process is creating, in seconds.
  private static let retryInterval = 0.01

  /// Opens the file at `path` for judging, or creates it and its missing parent folders.
  ///
  /// - Parameter seed: The seed of a new file, 1 when nil; for an existing file, its seed or nil.
  /// - Throws: ``AnnotationError``.
  package init(path: String, seed: UInt64? = nil) throws {
    self.path = path
    (queue, self.seed) = try Self.retryingWhileBusy(path) {
      let files = FileManager.default
      let folder = FileSystem.parent(of: path)
      try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
      // SQLite would open a read-only file and fail only at the first answer.
      guard files.isWritableFile(atPath: files.fileExists(atPath: path) ? path : folder) else {
        throw AnnotationError.storage(path: path, reason: "no permission to write", isFull: false)
      }
      let queue = try Self.open(path)
      // In one transaction: of several processes, one marks the file and the others find it marked.
      try queue.write { database in
        if try Self.isOurs(database) { return try Self.refuseNewerSchema(database, path) }
        guard try Self.isEmpty(database) else { throw AnnotationError.otherProgram(path: path) }
        try database.execute(sql: "PRAGMA application_id = \(JudgementSchema.applicationID)")
      }
      try queue.inDatabase { try $0.execute(sql: "PRAGMA journal_mode = WAL") }
      try Self.migrate(queue)
      return (queue, try Self.recordedSeed(seed, in: queue, path))
    }
  }

  /// Opens the file at `path`, which must exist, for reading.
  ///
  /// - Throws: ``AnnotationError``.
  package init(reading path: String) throws {
    guard FileManager.default.fileExists(atPath: path) else {
      throw AnnotationError.missing(path: path)
    }
    let (queue, seed) = try Self.retryingWhileBusy(path) {
      let queue = try Self.openToRead(path)
      let seed = try queue.read { database -> UInt64? in
        guard try Self.isOurs(database) else {
          throw try Self.isEmpty(database)
            ? AnnotationError.notADatabase(path: path, reason: "it is empty")
            : AnnotationError.otherProgram(path: path)
        }
        try Self.refuseNewerSchema(database, path)
        return try JudgementSchema.migrator.hasCompletedMigrations(database)
          ? try Self.seed(in: database) : nil
      }
      return (queue, seed)
    }
    if let seed {
      self.init(path, seed, queue)
    } else {
      // The file is of an earlier release, or its creation was interrupted.
      try self.init(path: path)
    }
  }

  private init(_ path: String, _ seed: UInt64, _ queue: DatabaseQueue) {
    self.path = path
    self.seed = seed
    self.queue = queue
  }

  func read<Value>(_ body: (GRDB.Database) throws -> Value) throws -> Value {
    try Self.translatingErrors(path) { try queue.read(body) }
  }

  /// Changes the file in one transaction, which is durable when this returns.
  func write<Value>(_ body: (GRDB.Database) throws -> Value) throws -> Value {
    try Self.translatingErrors(path) { try queue.write(body) }
  }

  private static func open(
    _ path: String, changes: Bool = true, readonly: Bool = false
  ) throws -> DatabaseQueue {
    // SQLite would wait for the other end of a FIFO.
    if let status = FileStatus(path), status.kind != .folder {
      do {
        try status.requireFile(at: path)
      } catch {
        throw AnnotationError.notADatabase(path: path, reason: error.reason)
      }
    }
    var configuration = GRDB.Configuration()
    configuration.readonly = readonly
    configuration.busyMode = .timeout(TimeInterval(lockTimeout))
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA synchronous = FULL")
      if !changes { try database.execute(sql: "PRAGMA query_only = 1") }
    }
    return try DatabaseQueue(path: path, configuration: configuration)
  }

  /// Opens the file for reading only.
  private static func openToRead(_ path: String) throws -> DatabaseQueue {
    let files = FileManager.default
    if [path, FileSystem.parent(of: path)].allSatisfy(files.isWritableFile) {
      // Not as a read-only connection, which would not remove -wal and -shm when it closes.
      return try open(path, changes: false)
    }
    // If -shm cannot be created, SQLite reads only a file declared immutable.
    let log = try? files.attributesOfItem(atPath: path + "-wal")[.size] as? Int
    let escaped = path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path
    return try open(
      (log ?? 0) == 0 ? "file:\(escaped)?immutable=1" : path, changes: false, readonly: true)
  }

  private static func isOurs(_ database: GRDB.Database) throws -> Bool {
    try Int.fetchOne(database, sql: "PRAGMA application_id") == JudgementSchema.applicationID
  }

  private static func isEmpty(_ database: GRDB.Database) throws -> Bool {
    try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM sqlite_master") == 0
  }

  private static func refuseNewerSchema(_ database: GRDB.Database, _ path: String) throws {
    let migrator = JudgementSchema.migrator
    guard try migrator.hasBeenSuperseded(database) else { return }
    let found = try migrator.appliedIdentifiers(database).subtracting(migrator.migrations)
    throw AnnotationError.newerSchema(
      path: path, found: found.sorted().last ?? "", known: JudgementSchema.newest)
  }

  private static func migrate(_ queue: DatabaseQueue) throws {
    do {
      try JudgementSchema.migrator.migrate(queue)
    } catch {
      // Another process that creates the same file may have migrated it first.
      guard try queue.read(JudgementSchema.migrator.hasCompletedMigrations) else { throw error }
    }
  }

  private static func seed(in database: GRDB.Database) throws -> UInt64? {
    try String.fetchOne(database, sql: "SELECT value FROM setting WHERE name = 'seed'")
      .flatMap { UInt64($0) }
  }

  /// Returns the seed of the file; records `seed`, or 1 when nil, in a new file.
  private static func recordedSeed(
    _ seed: UInt64?, in queue: DatabaseQueue, _ path: String
  ) throws -> UInt64 {
    try queue.write { database in
      if let found = try Self.seed(in: database) {
        if let seed, seed != found {
          throw AnnotationError.otherSeed(path: path, found: found, given: seed)
        }
        return found
      }
      let chosen = seed ?? 1
      try database.execute(
        sql: "INSERT INTO setting (name, value) VALUES ('seed', ?)", arguments: ["\(chosen)"])
      return chosen
    }
  }

  /// Opens the file with `body` and retries while it is busy.
  ///
  /// SQLite itself does not wait for another process that changes the journal mode, or that removes the
  /// log as the last to close.
  private static func retryingWhileBusy<Value>(
    _ path: String, _ body: () throws -> Value
  ) throws -> Value {
    try translatingErrors(path) {
      let end = ContinuousClock.now + .seconds(lockTimeout)
      while true {
        do {
          return try body()
        } catch let error as DatabaseError
          where error.resultCode == .SQLITE_BUSY && ContinuousClock.now < end
        {
          usleep(useconds_t(retryInterval * 1e6))
        }
      }
    }
  }

  /// Translates errors of SQLite and the file system into ``AnnotationError``.
  private static func translatingErrors<Value>(
    _ path: String, _ body: () throws -> Value
  ) throws -> Value {
    do {
      return try body()
    } catch let error as DatabaseError {
      let reason = error.message ?? error.resultCode.description
      switch error.resultCode {
      case .SQLITE_BUSY, .SQLITE_LOCKED:
        throw AnnotationError.locked(path: path, seconds: lockTimeout)
      case .SQLITE_FULL:
        throw AnnotationError.storage(path: path, reason: reason, isFull: true)
      case .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM:
        throw AnnotationError.storage(path: path, reason: reason, isFull: false)
      default:
        throw AnnotationError.notADatabase(path: path, reason: reason)
      }
    } catch let error as CocoaError {
      let cause = error.underlying as? POSIXError
      let reason = cause.map { String(cString: strerror($0.code.rawValue)) }
      throw AnnotationError.storage(
        path: path, reason: reason ?? error.localizedDescription,
        isFull: error.code == .fileWriteOutOfSpace)
    }
  }
}
