// "Templates to texts whose every character has an origin. Knows no role, no token, no file."

/// A chat template: Jinja as Hugging Face renders it.
///
/// That is jinja2's `ImmutableSandboxedEnvironment` with `trim_blocks`, `lstrip_blocks`, `break` and
/// `continue`, and the additions of transformers' `apply_chat_template`: `raise_exception`,
/// `strftime_now`, its own `tojson`, and `{% generation %}`. What is not supported is refused by name:
/// tags, filters and tests when the template is read, methods and functions when they are called.
///
/// A template is hostile input: `RenderingLimits` bound what it may take.
public struct Template: Sendable {
  /// Whether the template marks what a model generates with `{% generation %}`.
  public let marksGeneration: Bool
  private let body: [Statement]

  /// The template that `source` states.
  ///
  /// Throws `TemplateError` for what is no Jinja, or is not supported.
  public init(_ source: String) throws(TemplateError) {
    var parser = try TemplateParser(source)
    body = try parser.parseTemplate()
    marksGeneration = parser.marksGeneration
  }

  /// What the template writes, given `variables`.
  ///
  /// - Parameters:
  ///   - variables: Names with their values; of a name that is there twice, the last.
  ///   - date: What `strftime_now` tells: the result depends on nothing but the arguments.
  ///   - limits: What the template may take.
  ///
  /// Throws `TemplateError` where the template fails, refuses its input with `raise_exception`, or
  /// takes more than `limits` allow.
  public func render(
    _ variables: [(name: String, value: TemplateInput)], date: TemplateDate = TemplateDate(),
    limits: RenderingLimits = RenderingLimits()
  ) throws(TemplateError) -> RenderedText {
    let renderer = Renderer(date: date, limits: limits)
    return RenderedText(try renderer.render(body, variables))
  }
}
