/// An error of parsing or rendering a template.
package struct TemplateError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of error, with its reason.
  package enum Cause: Hashable, Sendable {
    /// The template is not valid Jinja.
    case syntax(String)
    /// The template uses the named construct, which is not supported.
    case unsupported(String)
    /// An expression is undefined or has a value of the wrong type.
    case evaluation(String)
    /// The template refused its input with `raise_exception`.
    case raised(String)
    /// The template exceeds a limit; the string is a verb phrase that names it.
    case exhausted(String)
  }

  /// The line of the template, counted from 1.
  package let line: Int
  package let cause: Cause

  package init(line: Int, _ cause: Cause) {
    self.line = line
    self.cause = cause
  }

  /// One clause that states the place and the reason.
  package var description: String {
    switch cause {
    case .syntax(let reason): "line \(line) of the chat template is not valid Jinja: \(reason)"
    case .unsupported(let construct):
      "line \(line) of the chat template uses \(construct), which Apus does not support"
    case .evaluation(let reason): "line \(line) of the chat template fails: \(reason)"
    case .raised(let message): "the chat template refuses it at line \(line): \(message)"
    case .exhausted(let what):
      "line \(line) of the chat template \(what), which exceeds the limits for templates"
    }
  }
}
