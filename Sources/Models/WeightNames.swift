// Parameters have the names that Hugging Face's current classes give them. Files of other releases
// and of other classes have some names that differ; each family lists its own.
import Tensors

/// The names of a family's weights in published files, where they differ from the parameters'.
package struct WeightNames: Sendable {
  /// The prefix of the backbone's parameters, which files of a backbone alone lack.
  var backbone: String?
  /// The name of the head's weight, which is the token embedding where it is tied.
  var head = "lm_head.weight"
  /// True when the head is all that is tied to the token embedding, so that an adapter that trains
  /// the embedding in full can hold both, and PEFT opens it as the same model.
  var tiesOnlyHead = true
  /// Ends of the names of embedding tables: of tokens, positions and segments.
  var embeddings: [String]
  /// Ends of names and what stands there in other releases.
  var variants: KeyValuePairs<String, String> = [:]
  /// Parameters that files may lack because another one has the same values.
  var shared: [String: String] = [:]

  /// Ends of the names of tensors in the layers of older files that no network reads, such as masks.
  var buffers: [String] = []

  /// Returns `name` and its variants, the current name first.
  func variants(of name: String) -> [String] {
    var names = [name]
    if let backbone, name.hasPrefix(backbone) {
      names.append(String(name.dropFirst(backbone.count)))
    }
    for name in names {
      for (end, other) in variants where name.hasSuffix(end) {
        names.append(name.dropLast(end.count) + other)
      }
    }
    return names
  }
}

extension ModelConfiguration {
  /// The name of the token embedding.
  package var embeddingName: String? { layout.entries.first(where: \.isEmbedding)?.name }

  /// The weight names of the family.
  var weightNames: WeightNames? {
    ModelFamilies.all.first { $0.configuration == Self.self }?.weightNames
  }

  /// The name of the head's weight, when it is tied to the token embedding.
  package var tiedHeadName: String? { tied ? weightNames?.head : nil }

  /// True when LoRA can train the token embedding in full, as far as PEFT can open the result.
  package var savesEmbeddingInFull: Bool { weightNames?.tiesOnlyHead ?? true }
}

extension ModelFamilies {
  /// Returns `name` and the other names of the parameter in published files.
  package static func publishedNames(of name: String) -> [String] {
    var names: [String] = []
    for variant in all.flatMap({ $0.weightNames.variants(of: name) })
    where !names.contains(variant) {
      names.append(variant)
    }
    return names
  }

  /// The names of heads' weights in published files.
  package static var headNames: [String] {
    Set(all.map(\.weightNames.head)).sorted().flatMap(publishedNames)
  }

  /// True for a tensor in a layer that no network reads.
  package static func isBuffer(_ name: String) -> Bool {
    all.contains { $0.weightNames.buffers.contains(where: name.hasSuffix) }
  }

  /// Returns the names of other parameters to use if a file lacks `name`.
  package static func sharedNames(of name: String) -> [String] {
    all.compactMap { $0.weightNames.shared[name] }.flatMap(publishedNames)
  }
}

extension ParameterLayout.Entry {
  /// True for the embeddings of tokens, positions and segments.
  package var isEmbedding: Bool {
    ModelFamilies.all.contains { $0.weightNames.embeddings.contains(where: name.hasSuffix) }
  }
}
