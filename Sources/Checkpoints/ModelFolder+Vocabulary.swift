import Models
import Tensors
import Tokenizers

extension ModelFolder {
  /// Whether `tokenizer` is this folder's, with new tokens behind the old ones or none.
  public func isExtended(by tokenizer: any Tokenizer) throws -> Bool {
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

  /// The model here with room for the ids of `tokenizer`.
  public func configuration(for tokenizer: any Tokenizer) throws -> any ModelConfiguration {
    guard tokenizer.vocabularySize > configuration.vocabulary else { return configuration }
    var json = configuration.json
    json["vocab_size"] = .integer(tokenizer.vocabularySize)
    return try ConfigurationFile.parse(
      ConfigurationFile.bytes(json), path: "\(path)/config.json")
  }

  /// Copies the weights here into `values` of `layout`, that of `configuration(for:)`.
  ///
  /// The rows of tokens that `tokenizer` has and this folder's does not are drawn by `seed`, see
  /// `DrawnRows`. What is not here, such as the head of an encoder without one, stays as it is.
  public func copyWeights(
    into values: FlatBuffer, of layout: ParameterLayout, extendedBy tokenizer: any Tokenizer,
    seed: UInt64
  ) throws {
    let known = self.tokenizer.vocabularySize
    let weights = try weights()
    let places = Dictionary(uniqueKeysWithValues: weights.layout.entries.map { ($0.name, $0) })
    let rows = try perToken()
    let drawn = DrawnRows(known: known, seed: seed)
    for entry in layout.entries {
      guard let place = places[entry.name], place.range.count <= entry.range.count else {
        continue
      }
      let matrix = UnsafeMutableBufferPointer(rebasing: values.elements[entry.range])
      _ = matrix.update(fromContentsOf: weights.values.elements[place.range])
      guard rows.contains(entry.name) else { continue }
      let columns = entry.range.count / entry.shape[0]
      drawn.write(known..<tokenizer.vocabularySize, of: matrix, columns: columns)
    }
  }

  /// Names of the parameters that have a row for every token: what grows with the vocabulary.
  private func perToken() throws -> Set<String> {
    var json = configuration.json
    json["vocab_size"] = .integer(configuration.vocabulary + 1)
    let larger = try ConfigurationFile.parse(
      ConfigurationFile.bytes(json), path: "\(path)/config.json")
    return Set(
      zip(configuration.layout.entries, larger.layout.entries)
        .filter { $0.shape != $1.shape }.map(\.0.name))
  }
}
