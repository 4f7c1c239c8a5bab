// "Text to token ids and back. No tensors."

/// The number of a token in its vocabulary.
package typealias TokenID = Int32

/// Converts text to token ids and back.
///
/// Byte-level tokenizers, such as those of GPT-2 and Llama 3, are lossless: `decode(encode(bytes))
/// == bytes` for every byte sequence, valid UTF-8 or not. Other families normalize (BERT to lower
/// case, T5 by NFKC) and decode to the normalized text. Encoding plain text never produces a
/// special token; special tokens are added by id.
package protocol Tokenizer: Sendable {
  /// The number of ids; every id is in `0..<vocabularySize`.
  var vocabularySize: Int { get }

  /// The special token that ends a document.
  var endOfText: TokenID { get }

  /// Returns the ids of `bytes`, without tokens of a post-processor.
  func encode(_ bytes: UnsafeBufferPointer<UInt8>) -> [TokenID]

  /// Returns the bytes that `id` stands for; a special token's bytes are its written form, such as
  /// `<|endoftext|>`. Throws `TokenizerError.unknownID` when `id` is outside the vocabulary.
  func bytes(of id: TokenID) throws(TokenizerError) -> [UInt8]

  /// Decodes `ids` to UTF-8, special tokens in their written form. Throws
  /// `TokenizerError.unknownID` at the first id outside the vocabulary.
  func bytes(of ids: [TokenID]) throws(TokenizerError) -> [UInt8]

  /// Returns the ids of `text` with the special tokens that the post-processor adds around it, such
  /// as `[CLS]` and `[SEP]`.
  func encodeWithSpecialTokens(_ text: String) -> [TokenID]

  /// Returns true when `id` continues the word of the token before it, provided that this is not a
  /// special token.
  func continuesWord(_ id: TokenID) -> Bool

  /// Returns the tokens of `bytes` with their offsets; a special token that is written inside
  /// `places`, which are ranges of `bytes`, is found as such.
  func encoding(
    of bytes: UnsafeBufferPointer<UInt8>, specialTokensIn places: RangeSet<Int>
  ) -> TokenEncoding

  /// Returns true when `id` is a special token.
  func isSpecial(_ id: TokenID) -> Bool

  /// Returns the id of the special token written as `text`, such as `<|user|>`; nil when there is
  /// none.
  func specialToken(_ text: String) -> TokenID?

  /// The id of what the vocabulary has no token for; nil for a tokenizer that encodes every text.
  var unknown: TokenID? { get }

  /// The settings of the published folder from which the tokenizer comes.
  var settings: TokenizerSettings { get }

  /// The scanner that finds the special tokens in a text.
  var specialTokenScanner: SpecialTokenScanner { get }
}
