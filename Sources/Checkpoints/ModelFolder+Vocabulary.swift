import Models
import Tensors
import Tokenizers

extension ModelFolder {
  /// Returns true when `tokenizer` is this folder's tokenizer, possibly with new tokens after the
  /// old ones.
  package func isExtended(by tokenizer: any Tokenizer) throws -> Bool {
    let own = self.tokenizer
    guard tokenizer.vocabularySize >= own.vocabularySize, tokenizer.endOfText == own.endOfText
    else {
      return false
    }
    for id in 0..<TokenID(own.vocabularySize)
    where try own.bytes(of: id) != tokenizer.bytes(of: id)
      || own.isSpecial(id) != tokenizer.isSpecial(id)
    {
      return false
    }
    return true
  }

  /// Returns the folder's configuration with a vocabulary of at least the ids of `tokenizer`.
  package func configuration(for tokenizer: any Tokenizer) -> any ModelConfiguration {
    var configuration = configuration
    configuration.vocabulary = max(configuration.vocabulary, tokenizer.vocabularySize)
    return configuration
  }

  /// Copies the folder's weights into `values` of `layout`, that of `configuration(for:)`.
  ///
  /// The rows of new tokens, which `tokenizer` has and the folder's does not, are initialised
  /// randomly with `seed`; see `NewTokenRows`.
  ///
  /// - Returns: The names of the parameters that the folder lacks, such as a new head; their values
  ///   are unchanged.
  package func copyWeights(
    into values: FlatBuffer, of layout: ParameterLayout, extendedBy tokenizer: any Tokenizer,
    seed: UInt64
  ) throws -> [String] {
    let known = self.tokenizer.vocabularySize
    let weights = try weights()
    let places = Dictionary(uniqueKeysWithValues: weights.layout.entries.map { ($0.name, $0) })
    let rows = namesWithRowPerToken
    let newRows = NewTokenRows(known: known, seed: seed)
    var missing: [String] = []
    for entry in layout.entries {
      guard let place = places[entry.name],
        place.shape == entry.shape
          || rows.contains(entry.name) && place.range.count < entry.range.count
      else {
        missing.append(entry.name)
        continue
      }
      let matrix = UnsafeMutableBufferPointer(rebasing: values.elements[entry.range])
      _ = matrix.update(fromContentsOf: weights.values.elements[place.range])
      guard rows.contains(entry.name) else { continue }
      let columns = entry.range.count / entry.shape[0]
      newRows.write(known..<tokenizer.vocabularySize, of: matrix, columns: columns)
    }
    return missing
  }

  /// Returns the names of the parameters with a row per token, whose shape grows with the
  /// vocabulary.
  private var namesWithRowPerToken: Set<String> {
    var larger = configuration
    larger.vocabulary += 1
    return Set(
      zip(configuration.layout.entries, larger.layout.entries)
        .filter { $0.shape != $1.shape }.map(\.0.name))
  }
}
