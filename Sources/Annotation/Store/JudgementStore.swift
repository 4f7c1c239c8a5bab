import Foundation
import GRDB

/// Pairs and judgements in an SQLite file, for several annotators and processes at once.
///
/// A judgement is on the disk before it is acknowledged: each is a transaction of its own in a
/// write-ahead log that is synchronised (`synchronous = FULL`), so it survives `kill -9` and a power
/// cut. Processes that write at the same time wait for each other. The file, `-wal` and `-shm` beside
/// it belong together while somebody annotates; they need a local disk, since SQLite's locks do not
/// reach over a network.
public struct JudgementStore: Sendable {
  /// Where the file is.
  public let path: String
  /// What order and sides follow from.
  public let seed: UInt64
  private let queue: DatabaseQueue

  /// How long one process waits for the transaction of another.
  private static let patience = 30
  /// Seconds between two attempts to open a file that another process is making.
  private static let pauseBetweenAttempts = 0.01

  /// Opens the file at `path` for judging, or makes it, with the folders above it.
  ///
  /// - Parameter seed: Of a new file, 1 when it is nil; of one that is there it must be the same or nil.
  /// - Throws: ``AnnotationError``.
  public init(path: String, seed: UInt64? = nil) throws {
    self.path = path
    (queue, self.seed) = try Self.opening(path) {
      let files = FileManager.default
      try files.createDirectory(
        atPath: Self.folder(of: path), withIntermediateDirectories: true)
      // SQLite itself would open it to read, and notice at the first answer.
      guard
        files.isWritableFile(atPath: files.fileExists(atPath: path) ? path : Self.folder(of: path))
      else {
        throw AnnotationError.storage(path: path, reason: "no permission to write", isFull: false)
      }
      let queue = try Self.open(path)
      // In one transaction: of processes that make the same file, one does and the others find it so.
      try queue.write { database in
        if try Self.isOurs(database) { return try Self.refuseLater(database, path) }
        guard try Self.isEmpty(database) else { throw AnnotationError.otherProgram(path: path) }
        try database.execute(sql: "PRAGMA application_id = \(JudgementSchema.applicationID)")
      }
      try queue.inDatabase { try $0.execute(sql: "PRAGMA journal_mode = WAL") }
      try Self.migrate(queue)
      return (queue, try Self.settle(seed, in: queue, path))
    }
  }

  /// Opens the file at `path`, which has to be there, to read it.
  ///
  /// - Throws: ``AnnotationError``.
  public init(reading path: String) throws {
    guard FileManager.default.fileExists(atPath: path) else {
      throw AnnotationError.missing(path: path)
    }
    let (queue, seed) = try Self.opening(path) {
      let queue = try Self.openToRead(path)
      let seed = try queue.read { database -> UInt64? in
        guard try Self.isOurs(database) else {
          throw try Self.isEmpty(database)
            ? AnnotationError.notADatabase(path: path, reason: "it is empty")
            : AnnotationError.otherProgram(path: path)
        }
        try Self.refuseLater(database, path)
        return try JudgementSchema.migrator.hasCompletedMigrations(database)
          ? try Self.seed(in: database) : nil
      }
      return (queue, seed)
    }
    if let seed {
      self.init(path, seed, queue)
    } else {
      // Of an earlier release, or not finished by the process that made it.
      try self.init(path: path)
    }
  }

  private init(_ path: String, _ seed: UInt64, _ queue: DatabaseQueue) {
    self.path = path
    self.seed = seed
    self.queue = queue
  }

  /// Reads from the file.
  func read<Value>(_ body: (GRDB.Database) throws -> Value) throws -> Value {
    try Self.guarded(path) { try queue.read(body) }
  }

  /// Changes the file in one transaction, which is on the disk when this returns.
  func write<Value>(_ body: (GRDB.Database) throws -> Value) throws -> Value {
    try Self.guarded(path) { try queue.write(body) }
  }

  private static func open(
    _ path: String, changes: Bool = true, readonly: Bool = false
  ) throws -> DatabaseQueue {
    var configuration = GRDB.Configuration()
    configuration.readonly = readonly
    configuration.busyMode = .timeout(TimeInterval(patience))
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA synchronous = FULL")
      if !changes { try database.execute(sql: "PRAGMA query_only = 1") }
    }
    return try DatabaseQueue(path: path, configuration: configuration)
  }

  /// Opens the file so that nothing is changed in it.
  private static func openToRead(_ path: String) throws -> DatabaseQueue {
    let files = FileManager.default
    if files.isWritableFile(atPath: path) && files.isWritableFile(atPath: folder(of: path)) {
      // Not as read-only: such a connection leaves -wal and -shm behind.
      return try open(path, changes: false)
    }
    // Where -shm cannot be made, SQLite reads only what nobody can change.
    let log = try? files.attributesOfItem(atPath: path + "-wal")[.size] as? Int
    let escaped = path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path
    return try open(
      (log ?? 0) == 0 ? "file:\(escaped)?immutable=1" : path, changes: false, readonly: true)
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func isOurs(_ database: GRDB.Database) throws -> Bool {
    try Int.fetchOne(database, sql: "PRAGMA application_id") == JudgementSchema.applicationID
  }

  private static func isEmpty(_ database: GRDB.Database) throws -> Bool {
    try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM sqlite_master") == 0
  }

  private static func refuseLater(_ database: GRDB.Database, _ path: String) throws {
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
      // Two processes that make the same file: what this one found made was made by the other.
      guard try queue.read(JudgementSchema.migrator.hasCompletedMigrations) else { throw error }
    }
  }

  private static func seed(in database: GRDB.Database) throws -> UInt64? {
    try String.fetchOne(database, sql: "SELECT value FROM setting WHERE name = 'seed'")
      .flatMap { UInt64($0) }
  }

  private static func settle(
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

  /// Opens the file with `body`, again while others do the same: SQLite itself does not wait for
  /// another process that changes the mode of the journal, or removes the log as the last to close.
  private static func opening<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
    try guarded(path) {
      let end = ContinuousClock.now + .seconds(patience)
      while true {
        do {
          return try body()
        } catch let error as DatabaseError
          where error.resultCode == .SQLITE_BUSY && ContinuousClock.now < end
        {
          usleep(useconds_t(pauseBetweenAttempts * 1e6))
        }
      }
    }
  }

  /// Turns what SQLite and the file system say into an ``AnnotationError``.
  private static func guarded<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as DatabaseError {
      let reason = error.message ?? error.resultCode.description
      switch error.resultCode {
      case .SQLITE_BUSY, .SQLITE_LOCKED:
        throw AnnotationError.locked(path: path, seconds: patience)
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
