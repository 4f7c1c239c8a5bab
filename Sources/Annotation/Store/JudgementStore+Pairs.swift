import Foundation
import GRDB
import Tokenizers

/// A pair in the store.
package struct StoredPair: Sendable, Hashable {
  /// The index of the pair in the order of addition, from 0.
  package let number: Int
  /// The pair's `id`.
  package let id: String
  package let pair: AnnotationPair
}

extension JudgementStore {
  /// Adds the pairs that are not in the store yet, in one transaction, and returns their number.
  ///
  /// - Parameter origin: A description of the pairs' source and settings, for ``hasPairs(from:)``.
  @discardableResult
  package func add(_ pairs: [AnnotationPair], from origin: String? = nil) throws -> Int {
    let rows: [StatementArguments] = try pairs.map { pair in
      [
        pair.id, try Self.json(pair.prompt), try Self.json(pair.first.answer),
        try Self.json(pair.second.answer), pair.first.source, pair.second.source, origin,
      ]
    }
    return try write { database in
      // Numbers have no gaps, because the balance of sides depends on them.
      let insertion = try database.makeStatement(
        sql: """
          INSERT INTO pair (number, id, prompt, first, second, firstSource, secondSource, origin)
          SELECT COALESCE(MAX(number) + 1, 0), ?, ?, ?, ?, ?, ?, ? FROM pair
          WHERE true ON CONFLICT (id) DO NOTHING
          """)
      var added = 0
      for row in rows {
        try insertion.execute(arguments: row)
        added += database.changesCount
      }
      return added
    }
  }

  /// Returns true when pairs of this origin were added.
  package func hasPairs(from origin: String) throws -> Bool {
    try read { database in
      try Bool.fetchOne(
        database, sql: "SELECT EXISTS (SELECT 1 FROM pair WHERE origin = ?)", arguments: [origin])
        ?? false
    }
  }

  /// Returns the number of pairs.
  package func pairCount() throws -> Int {
    try read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM pair") ?? 0 }
  }

  /// Returns all pairs, in the order of addition.
  package func pairs() throws -> [StoredPair] {
    try pairs(where: "true", [])
  }

  /// Returns the pair with the id `id`; nil when there is none.
  package func pair(_ id: String) throws -> StoredPair? {
    try pairs(where: "id = ?", [id]).first
  }

  /// Returns the ids of the pairs that `annotator` has not judged, in the order of addition.
  func idsToJudge(by annotator: String) throws -> [String] {
    try read { database in
      try String.fetchAll(
        database,
        sql: """
          SELECT id FROM pair WHERE id NOT IN (
            SELECT pair FROM judgement WHERE annotator = ? AND withdrawnAt IS NULL)
          ORDER BY number
          """, arguments: [annotator])
    }
  }

  private func pairs(
    where condition: String, _ arguments: StatementArguments
  ) throws -> [StoredPair] {
    let rows = try read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT number, id, prompt, first, second, firstSource, secondSource FROM pair
          WHERE \(condition) ORDER BY number
          """, arguments: arguments)
    }
    return try rows.map { row in
      StoredPair(
        number: row["number"], id: row["id"],
        pair: AnnotationPair(
          prompt: try messages(row["prompt"]),
          first: .init(try messages(row["first"]), source: row["firstSource"]),
          second: .init(try messages(row["second"]), source: row["secondSource"])))
    }
  }

  private struct StoredMessage: Decodable {
    let role: String
    let content: String
  }

  private static func json(_ messages: [Message]) throws -> String {
    try JSONLine.text(of: MessageText.messages(messages))
  }

  private func messages(_ json: String) throws -> [Message] {
    let stored = try? JSONDecoder().decode([StoredMessage].self, from: Data(json.utf8))
    return try (stored ?? []).map { message in
      guard let role = Role(rawValue: message.role) else {
        throw AnnotationError.notADatabase(
          path: path, reason: "a message has the role \"\(message.role)\"")
      }
      return Message(role, message.content)
    }
  }
}
