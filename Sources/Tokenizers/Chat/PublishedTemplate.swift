import Jinja

/// A parsed chat template that came with a tokenizer.
package struct PublishedTemplate: Sendable, Hashable {
  /// A special token that the template refers to by name.
  package struct NamedToken: Sendable, Hashable {
    /// The variable's name, such as `eos_token`.
    package let name: String
    /// The token's written form, such as `</s>`.
    package let text: String

    package init(name: String, text: String) {
      self.name = name
      self.text = text
    }
  }

  /// The template's Jinja source.
  package let source: String
  /// The special tokens passed to the template, in the order of the tokenizer's configuration.
  package let specialTokens: [NamedToken]
  let program: Template

  /// Parses `source`, which will be rendered with `specialTokens`.
  ///
  /// Throws `TokenizerError.unusableTemplate` when the source is not valid Jinja or uses an
  /// unsupported feature; `path` is the file of the source, for the error sentence.
  package init(
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

  /// Compares sources byte for byte, and special tokens.
  package static func == (left: PublishedTemplate, right: PublishedTemplate) -> Bool {
    left.source.utf8.elementsEqual(right.source.utf8) && left.specialTokens == right.specialTokens
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(source)
    hasher.combine(specialTokens)
  }
}
