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

  /// A separate template for conversations with tools.
  struct ToolUse: Sendable {
    let source: String
    let program: Template
  }

  /// The template's Jinja source.
  package let source: String
  /// The special tokens passed to the template, in the order of the tokenizer's configuration.
  package let specialTokens: [NamedToken]
  let program: Template
  /// The template named `tool_use`, where there is one.
  let toolUse: ToolUse?

  /// Parses `source` and `toolUse`, the source for conversations with tools if it is another one.
  ///
  /// Throws `TokenizerError.unusableTemplate` when the source is not valid Jinja or uses an
  /// unsupported feature; `path` is the file of the source, for the error sentence.
  package init(
    _ source: String, toolUse: String? = nil, specialTokens: [NamedToken], path: String
  ) throws(TokenizerError) {
    self.source = source
    self.specialTokens = specialTokens
    do {
      program = try Template(source)
      self.toolUse = try toolUse.map { source throws(TemplateError) in
        ToolUse(source: source, program: try Template(source))
      }
    } catch {
      throw .unusableTemplate(path: path, reason: error.description)
    }
  }

  /// The sources of all templates, the default one first.
  var sources: [String] { [source] + (toolUse.map { [$0.source] } ?? []) }

  /// Compares sources byte for byte, and special tokens.
  package static func == (left: PublishedTemplate, right: PublishedTemplate) -> Bool {
    left.sources.elementsEqual(right.sources) { $0.utf8.elementsEqual($1.utf8) }
      && left.specialTokens == right.specialTokens
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(sources)
    hasher.combine(specialTokens)
  }
}
