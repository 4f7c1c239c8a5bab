/// Limits on the steps and sizes of a rendering, so that an endless or exploding template fails
/// with an error.
package struct RenderingLimits: Sendable {
  /// Largest number of steps.
  ///
  /// Each evaluated statement or expression counts as one step, and so do every eight characters or
  /// elements that it creates, reads or compares.
  package var steps: Int
  /// Largest number of characters in a string.
  package var characters: Int

  /// Creates limits; the defaults are about 100,000 times the needs of published templates.
  package init(steps: Int = 20_000_000, characters: Int = 16_000_000) {
    self.steps = steps
    self.characters = characters
  }

  // Depth limits, so that recursion over nested parts of a template does not exhaust the stack.

  /// Largest nesting of brackets, blocks and calls in the source.
  static let sourceDepth = 40
  /// Largest number of operators, filters or subscripts in one chain.
  static let chainLength = 100
  /// Largest nesting of evaluated parts during rendering, including macro calls.
  static let renderingDepth = 160
  /// Largest nesting of lists and dictionaries.
  static let valueDepth = 40
  /// Largest number of elements of `range`, as in jinja2's sandbox.
  static let range = 100_000
}
