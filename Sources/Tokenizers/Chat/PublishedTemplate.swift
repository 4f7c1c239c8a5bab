import Jinja

/// A chat template that came with a tokenizer, ready to be rendered.
public struct PublishedTemplate: Sendable, Hashable {
  /// A special token that the template knows by name.
  public struct NamedToken: Sendable, Hashable {
    /// Such as `eos_token`.
    public let name: String
    /// Such as `</s>`.
    public let text: String

    /// `text`, called `name`.
    public init(name: String, text: String) {
      self.name = name
      self.text = text
    }
  }

  /// The Jinja.
  public let source: String
  /// The special tokens that it is given, in the order of the tokenizer's configuration.
  public let specialTokens: [NamedToken]
  let program: Template

  /// The template that `source` states, given `specialTokens`.
  ///
  /// Throws `TokenizerError.unusableTemplate` for what is no Jinja or not supported; `path` says where
  /// it was found.
  public init(
    _ source: String, specialTokens: [NamedToken], path: String
  ) throws(TokenizerError) {
    self.source = source
    self.specialTokens = specialTokens
    do {
      program = try Template(source)
    } catch {
      throw .unusableTemplate(path: path, reason: error.description)
    }
  }

  /// Two templates are equal when they state the same.
  public static func == (left: PublishedTemplate, right: PublishedTemplate) -> Bool {
    left.source.utf8.elementsEqual(right.source.utf8) && left.specialTokens == right.specialTokens
  }

  /// Hashes what the template states.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(source)
    hasher.combine(specialTokens)
  }
}
