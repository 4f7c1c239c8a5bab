import Foundation
import GRDB
import Tokenizers

/// A pair as it is kept.
public struct StoredPair: Sendable, Hashable {
  /// Its place in the order in which pairs were added, from 0.
  public let number: Int
  /// The pair's `id`.
  public let id: String
  /// The pair.
  public let pair: AnnotationPair
}

extension JudgementStore {
  /// Adds the pairs that are not there yet, all in one transaction, and returns how many those were.
  ///
  /// - Parameter origin: What they were made from and how, for ``hasPairs(from:)``.
  @discardableResult
  public func add(_ pairs: [AnnotationPair], from origin: String? = nil) throws -> Int {
    let rows: [StatementArguments] = try pairs.map { pair in
      [
        pair.id, try Self.json(pair.prompt), try Self.json(pair.first.answer),
        try Self.json(pair.second.answer), pair.first.source, pair.second.source, origin,
      ]
    }
    return try write { database in
      // Numbers without gaps: the balance of sides rests on them.
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

  /// Whether pairs of this origin were added.
  public func hasPairs(from origin: String) throws -> Bool {
    try read { database in
      try Bool.fetchOne(
        database, sql: "SELECT EXISTS (SELECT 1 FROM pair WHERE origin = ?)", arguments: [origin])
        ?? false
    }
  }

  /// How many pairs there are.
  public func pairCount() throws -> Int {
    try read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM pair") ?? 0 }
  }

  /// All pairs, in the order in which they were added.
  public func pairs() throws -> [StoredPair] {
    try pairs(where: "true", [])
  }

  /// The pair with the id `id`; nil when there is none.
  public func pair(_ id: String) throws -> StoredPair? {
    try pairs(where: "id = ?", [id]).first
  }

  /// The ids of the pairs that `annotator` has not judged, in the order in which they were added.
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
