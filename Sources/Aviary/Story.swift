/// A short story and the facts that it states.
public struct Story: Equatable, Sendable {
  /// Three to eight sentences of English in ASCII, one space between them.
  public var text: String
  /// What the story states, each fact as often as the text mentions it and always the same.
  public var facts: Facts
}
