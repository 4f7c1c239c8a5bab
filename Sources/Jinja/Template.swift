// "Renders templates to text with the origin of every character. Knows no role, token or file."

/// A chat template in Jinja, rendered as Hugging Face transformers renders it.
///
/// The dialect is jinja2's `ImmutableSandboxedEnvironment` with `trim_blocks`, `lstrip_blocks`,
/// `break` and `continue`, and the additions of transformers' `apply_chat_template`:
/// `raise_exception`, `strftime_now`, its own `tojson`, and `{% generation %}`. Errors name the
/// construct that is not supported: tags, filters and tests when the template is parsed, methods
/// and functions when they are called.
///
/// Templates are untrusted input: `RenderingLimits` bounds their steps and sizes.
package struct Template: Sendable {
  /// True when the template marks the model's output with `{% generation %}`.
  package let marksGeneration: Bool
  private let body: [Statement]

  /// Parses `source`.
  ///
  /// Throws `TemplateError` when `source` is not valid Jinja or uses an unsupported construct.
  package init(_ source: String) throws(TemplateError) {
    var parser = try TemplateParser(source)
    body = try parser.parseTemplate()
    marksGeneration = parser.marksGeneration
  }

  /// Renders the template with `variables`.
  ///
  /// The result depends on the arguments alone, not on the clock.
  ///
  /// - Parameters:
  ///   - variables: Names with their values; the last value of a repeated name counts.
  ///   - date: The time that `strftime_now` formats.
  ///   - limits: Bounds on steps and sizes.
  ///
  /// Throws `TemplateError` when the template fails, refuses its input with `raise_exception`, or
  /// exceeds `limits`.
  package func render(
    _ variables: [(name: String, value: TemplateInput)], date: TemplateDate = TemplateDate(),
    limits: RenderingLimits = RenderingLimits()
  ) throws(TemplateError) -> RenderedText {
    let renderer = Renderer(date: date, limits: limits)
    return RenderedText(try renderer.render(body, variables))
  }
}
