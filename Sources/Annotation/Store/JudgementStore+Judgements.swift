import Foundation
import GRDB

extension JudgementStore {
  /// Keeps `judgement`; false when its annotator has judged the pair already.
  ///
  /// When this returns, the judgement is on the disk.
  @discardableResult
  public func keep(_ judgement: Judgement) throws -> Bool {
    try keep([judgement]) == 1
  }

  /// Keeps all of `judgements` in one transaction, without those whose annotator has judged the pair
  /// already, and returns how many were kept.
  ///
  /// - Throws: ``AnnotationError``, of a pair that is not here or a name that cannot be one before any
  ///   is kept.
  @discardableResult
  public func keep(_ judgements: [Judgement]) throws -> Int {
    for judgement in judgements { try AnnotatorName.check(judgement.annotator) }
    let now = Date().timeIntervalSince1970
    return try write { database in
      let isKnown = try database.makeStatement(sql: "SELECT 1 FROM pair WHERE id = ?")
      for judgement in judgements
      where try Int.fetchOne(isKnown, arguments: [judgement.pair]) == nil {
        throw AnnotationError.unknownPair(path: path, id: judgement.pair)
      }
      let insertion = try database.makeStatement(
        sql: """
          INSERT INTO judgement (pair, annotator, verdict, left, note, givenAt)
          VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
          """)
      var kept = 0
      for judgement in judgements {
        try insertion.execute(arguments: [
          judgement.pair, judgement.annotator, judgement.verdict.rawValue,
          judgement.left?.rawValue, judgement.note, now,
        ])
        kept += database.changesCount
      }
      return kept
    }
  }

  /// Takes back the newest judgement of `annotator` and returns it; nil when there is none.
  public func withdrawLast(of annotator: String) throws -> Judgement? {
    let now = Date().timeIntervalSince1970
    return try write { database in
      let row = try Row.fetchOne(
        database,
        sql: """
          UPDATE judgement SET withdrawnAt = ? WHERE number = (
            SELECT MAX(number) FROM judgement WHERE annotator = ? AND withdrawnAt IS NULL)
          RETURNING pair, annotator, verdict, left, note
          """, arguments: [now, annotator])
      return try row.map(judgement)
    }
  }

  /// All judgements that were not taken back, in the order in which they were given.
  public func judgements() throws -> [Judgement] {
    let rows = try read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT pair, annotator, verdict, left, note FROM judgement
          WHERE withdrawnAt IS NULL ORDER BY number
          """)
    }
    return try rows.map(judgement)
  }

  private func judgement(_ row: Row) throws -> Judgement {
    let name: String = row["verdict"]
    guard let verdict = Verdict(rawValue: name) else {
      throw AnnotationError.notADatabase(path: path, reason: "a verdict is \"\(name)\"")
    }
    let left: String? = row["left"]
    return Judgement(
      pair: row["pair"], annotator: row["annotator"], verdict: verdict,
      left: left.flatMap(Place.init(rawValue:)), note: row["note"])
  }
}
