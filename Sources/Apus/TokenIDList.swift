import ArgumentParser
import Foundation
import Tokenizers

/// Token ids as commands read them: separated by white space, as `apus tokenizer encode` prints
/// them, or by commas.
struct TokenIDList: ExpressibleByArgument {
  let ids: [TokenID]

  /// Reads the ids in `argument`; nil when a part of it is not an id.
  init?(argument: String) {
    var ids: [TokenID] = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.split(whereSeparator: \.isWhitespace)
      let numbers = words.compactMap { TokenID($0) }.filter { $0 >= 0 }
      // Two commas in a row leave an id out.
      guard numbers.count == words.count, !words.isEmpty || !argument.contains(",") else {
        return nil
      }
      ids += numbers
    }
    self.ids = ids
  }

  /// The form, for help and errors.
  static let form = "numbers separated by spaces or commas, such as \"1 2 3\""
}
