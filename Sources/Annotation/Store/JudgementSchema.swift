import GRDB

/// The tables of a file of judgements.
///
///     setting    name, value                   the seed
///     pair       number, id, prompt, first, second, firstSource, secondSource, origin
///                                              texts as JSON: [{"content":…,"role":…},…]
///     judgement  number, pair, annotator, verdict, left, note, givenAt, withdrawnAt
///                                              times in seconds since 1970; rows are never removed,
///                                              withdrawnAt marks a withdrawn judgement
///
/// GRDB's table `grdb_migrations` has the version of the schema. The file's header has the application
/// id "APUS".
enum JudgementSchema {
  /// "APUS".
  static let applicationID = 0x4150_5553

  /// The migrations from an empty file to the newest schema; a released migration is never changed.
  static let migrator: DatabaseMigrator = {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1") { database in
      try database.execute(
        sql: """
          CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
          CREATE TABLE pair (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            prompt TEXT NOT NULL, first TEXT NOT NULL, second TEXT NOT NULL,
            firstSource TEXT, secondSource TEXT, origin TEXT
          ) STRICT;
          CREATE INDEX pairByOrigin ON pair (origin);
          CREATE TABLE judgement (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            pair TEXT NOT NULL REFERENCES pair (id),
            annotator TEXT NOT NULL,
            verdict TEXT NOT NULL
              CHECK (verdict IN ('first', 'second', 'tie', 'bothBad', 'skip')),
            left TEXT CHECK (left IN ('first', 'second')),
            note TEXT,
            givenAt REAL NOT NULL,
            withdrawnAt REAL
          ) STRICT;
          CREATE UNIQUE INDEX judgementOfOne ON judgement (annotator, pair)
            WHERE withdrawnAt IS NULL;
          """)
    }
    return migrator
  }()

  /// The name of the newest schema.
  static var newest: String { migrator.migrations.last ?? "" }
}
