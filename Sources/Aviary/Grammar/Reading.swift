/// What one sentence says: the productions that write it and the values in its slots.
struct Reading: Sendable {
  struct Mention: Sendable {
    var slot: Slot
    /// The index of the entry in the table of the variable's domain.
    var value: Int
  }

  /// The production of the sentence and those of its clauses.
  var productions: [Int] = []
  /// In the order of the text.
  var mentions: [Mention] = []
}
