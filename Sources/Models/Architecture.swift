/// An entry of `architectures` in `config.json`: a family and a head.
package struct Architecture: Sendable, Equatable {
  /// The family, such as `Llama`.
  let family: String
  /// The head, such as `ForCausalLM`.
  let head: String

  /// The name of the language model.
  var name: String { family + head }

  /// Returns the name of the family's network with another head.
  func name(withHead head: String) -> String { family + head }
}
