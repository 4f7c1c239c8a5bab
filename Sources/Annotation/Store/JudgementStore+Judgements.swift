import Foundation
import GRDB

extension JudgementStore {
  /// Stores `judgement`; returns false when its annotator has already judged the pair.
  ///
  /// When this returns, the judgement is durable.
  @discardableResult
  package func keep(_ judgement: Judgement) throws -> Bool {
    try keep([judgement]) == 1
  }

  /// Stores `judgements` in one transaction, except those whose annotator has already judged the pair,
  /// and returns the number stored.
  ///
  /// - Throws: ``AnnotationError`` for an unknown pair or an invalid name; then none is stored.
  @discardableResult
  package func keep(_ judgements: [Judgement]) throws -> Int {
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

  /// Withdraws the newest judgement of `annotator` and returns it; nil when there is none.
  package func withdrawLast(of annotator: String) throws -> Judgement? {
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

  /// Returns all judgements that are not withdrawn, in the order in which they were given.
  package func judgements() throws -> [Judgement] {
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
