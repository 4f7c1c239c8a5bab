/// What a template may take, so that an endless or exploding one ends with a sentence.
public struct RenderingLimits: Sendable {
  /// Steps: one for each part of the template that is evaluated, and for each eight characters or
  /// elements that a part makes, reads or compares.
  public var steps: Int
  /// Characters of any one text.
  public var characters: Int

  /// Room for some hundred thousand times what a published template takes.
  public init(steps: Int = 20_000_000, characters: Int = 16_000_000) {
    self.steps = steps
    self.characters = characters
  }

  // Bounds of the stack: recursion over what a template nests must not exhaust it.

  /// Brackets, blocks and calls within each other in the source.
  static let sourceDepth = 40
  /// Operators, filters or subscripts in one chain.
  static let chainLength = 100
  /// Parts within each other during rendering, through macros too.
  static let renderingDepth = 160
  /// Lists and dictionaries within each other.
  static let valueDepth = 40
  /// Elements of `range`, as in jinja2's sandbox.
  static let range = 100_000
}
