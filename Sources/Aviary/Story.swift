/// A short story and the facts that it states.
package struct Story: Equatable, Sendable {
  /// Three to eight sentences of English in ASCII, one space between them.
  package var text: String
  /// The facts, which every mention in the text agrees with.
  package var facts: Facts
}
