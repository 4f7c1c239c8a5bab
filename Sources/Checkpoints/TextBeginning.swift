import Models
import Tokenizers

extension Tokenizer {
  /// Returns the token from which the first token of a text is predicted, in training, evaluation and
  /// generation: the one that the post-processor adds, else `bos_token_id`, else the end of text.
  ///
  /// - Parameter generation: The model's settings for generating text; nil for a new model.
  package func beginning(for generation: GenerationConfiguration?) -> TokenID {
    let stated = generation?.beginning.flatMap { Int($0) < vocabularySize ? TokenID($0) : nil }
    return beginningOfText ?? stated ?? endOfText
  }
}

extension ModelFolder {
  /// The token from which the first token of a text is predicted.
  package var beginningOfText: TokenID { tokenizer.beginning(for: generation) }
}

extension LoadedNetwork {
  /// The token from which the first token of a text is predicted.
  package var beginningOfText: TokenID { tokenizer.beginning(for: generation) }
}
