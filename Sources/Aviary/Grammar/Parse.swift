/// A parse of one sentence: its productions and the values in its slots.
struct Parse: Sendable {
  struct Mention: Sendable {
    var slot: Slot
    /// Index of the entry in the table of the variable's domain.
    var value: Int
  }

  /// The production of the sentence and those of its clauses.
  var productions: [Int] = []
  /// The values in the slots, in the order of the text.
  var mentions: [Mention] = []
}
