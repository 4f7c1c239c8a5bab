// "Text to token ids and back. No tensors."

/// The number of a token in its vocabulary.
public typealias TokenID = Int32

/// Text to token ids and back.
///
/// Where the tokens are bytes, as in GPT-2 and Llama 3, bytes are the ground truth:
/// `decode(encode(bytes)) == bytes` for every byte sequence, valid UTF-8 or not. Other families
/// normalize (BERT to lower case, T5 by NFKC), and what they decode is the normalized text. Special
/// tokens are never produced from plain text; they are added by id.
public protocol Tokenizer: Sendable {
  /// How many ids there are; every id is in `0..<vocabularySize`.
  var vocabularySize: Int { get }

  /// The special token that ends a document.
  var endOfText: TokenID { get }

  /// The ids of `bytes`.
  func encode(_ bytes: UnsafeBufferPointer<UInt8>) -> [TokenID]

  /// The bytes that `id` stands for; a special token's bytes are its written form, such as
  /// `<|endoftext|>`. Throws `TokenizerError.unknownID` when `id` is outside the vocabulary.
  func bytes(of id: TokenID) throws(TokenizerError) -> [UInt8]

  /// The text that `ids` stand for, special tokens in their written form. Throws
  /// `TokenizerError.unknownID` at the first id outside the vocabulary.
  func bytes(of ids: [TokenID]) throws(TokenizerError) -> [UInt8]

  /// The ids of `text` with the tokens that a model wants around it, such as `[CLS]` and `[SEP]`.
  func encodeWhole(_ text: String) -> [TokenID]

  /// Whether `id` goes on with the word of the token before it, where that is no special token.
  func continuesWord(_ id: TokenID) -> Bool

  /// The tokens of `bytes` with their offsets.
  func encoding(of bytes: UnsafeBufferPointer<UInt8>) -> TokenEncoding

  /// Whether `id` is a special token.
  func isSpecial(_ id: TokenID) -> Bool

  /// The id of the special token written as `text`, such as `<|user|>`; nil when there is none.
  func specialToken(_ text: String) -> TokenID?
}
