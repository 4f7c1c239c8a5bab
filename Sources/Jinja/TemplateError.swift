/// Why a template cannot be read or rendered.
public struct TemplateError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What went wrong.
  public enum Cause: Hashable, Sendable {
    /// The template is no Jinja.
    case syntax(String)
    /// The template uses what is not supported, named.
    case unsupported(String)
    /// Something in it has no value, or not a fitting one.
    case evaluation(String)
    /// The template refuses its input with `raise_exception`.
    case raised(String)
    /// The template takes more than its limits allow.
    case exhausted(String)
  }

  /// The line of the template, counted from 1.
  public let line: Int
  /// What went wrong there.
  public let cause: Cause

  /// `cause` at `line`.
  public init(line: Int, _ cause: Cause) {
    self.line = line
    self.cause = cause
  }

  /// One clause: what, where, why.
  public var description: String {
    switch cause {
    case .syntax(let reason): "line \(line) of the chat template is no Jinja: \(reason)"
    case .unsupported(let construct):
      "line \(line) of the chat template uses \(construct), which Apus does not support"
    case .evaluation(let reason): "line \(line) of the chat template fails: \(reason)"
    case .raised(let message): "the chat template refuses it at line \(line): \(message)"
    case .exhausted(let what):
      "line \(line) of the chat template \(what), beyond what a template may take"
    }
  }
}
