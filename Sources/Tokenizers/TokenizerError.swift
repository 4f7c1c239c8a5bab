import Files

/// The errors of reading, training, using and writing a tokenizer.
package enum TokenizerError: Error, Equatable, Sendable, CustomStringConvertible {
  /// An id outside the vocabulary.
  case unknownID(id: TokenID, vocabularySize: Int)
  /// A target vocabulary that cannot hold the bytes and the special tokens.
  case vocabularyTooSmall(requested: Int, minimum: Int)
  /// Tokens and merges that do not fit together; `path` is nil when they come from no file.
  case invalidVocabulary(VocabularyDefect, path: String?)
  /// A file or folder that cannot be read.
  case unreadable(path: String, reason: String)
  /// A folder without a tokenizer.
  case noTokenizer(folder: String)
  /// A file that is not JSON; `line` counts from 1.
  case malformedJSON(path: String, line: Int, reason: String)
  /// A JSON file whose contents, which `found` names, are no object.
  case noSettings(path: String, found: String)
  /// A JSON field that is missing or of another type than expected.
  case invalidField(path: String, field: String, expected: String)
  /// A line of `merges.txt` that is not a pair; `line` counts from 1.
  case malformedMerge(path: String, line: Int)
  /// A malformed vocabulary file, binary or text; `reason` is a clause.
  case malformedModel(path: String, reason: String)
  /// A construct that Apus does not support, so that its ids would differ from the original's.
  case unsupported(path: String, construct: String)
  /// A file in the format of another program.
  case foreignFormat(path: String, format: String)
  /// A vocab.json with merges.txt that is not GPT-2's, whose way of splitting words is unknown.
  case unstatedWords(path: String, byte: UInt8)
  /// A tokenizer whose kind of model cannot take new tokens.
  case unextendable(kind: String)
  /// A chat template that is not valid Jinja or uses an unsupported feature.
  case unusableTemplate(path: String, reason: String)
  /// A chat template with text that the tokenizer has no token for.
  case unencodableTemplate(name: String, text: String)
  /// A conversation that the chat template refuses to render.
  case unrendered(reason: String)
  /// A file or folder that cannot be written: the storage failed, not the input.
  case unwritable(path: String, cause: StorageError)

  /// The error as one sentence: what, where, why, and what to do.
  package var description: String {
    switch self {
    case .unknownID(let id, let size):
      "token id \(id) is outside the vocabulary of \(size) tokens; use ids from 0 to \(size - 1)"
    case .vocabularyTooSmall(let requested, let minimum):
      "a vocabulary of \(requested) tokens cannot hold the 256 bytes and the special tokens; "
        + "ask for at least \(minimum)"
    case .invalidVocabulary(let defect, let path):
      (path.map { "\($0): " } ?? "the vocabulary is damaged: ") + "\(defect); "
        + "use the tokenizer's original files"
    case .unreadable(let path, let reason):
      "cannot read \(path): \(reason); check the path and its permissions"
    case .noTokenizer(let folder):
      "\(folder) holds no tokenizer: neither tokenizer.json, vocab.json with merges.txt, vocab.txt, "
        + "spiece.model nor tokenizer.model is there; give a folder that has one, or train one with "
        + "`apus tokenizer train`"
    case .malformedJSON(let path, let line, let reason):
      "\(path):\(line) is not valid JSON: \(reason); the file may be cut short, copy it again"
    case .noSettings(let path, let found):
      "\(path) holds \(found) where an object of settings is expected; copy the original file again"
    case .invalidField(let path, let field, let expected):
      "\(path): field '\(field)' must be \(expected); save the tokenizer again with its own program"
    case .malformedMerge(let path, let line):
      "\(path):\(line) is not a merge: two tokens separated by one space are expected; "
        + "use the tokenizer's original files"
    case .malformedModel(let path, let reason):
      "\(path) is not a vocabulary: \(reason); copy the original file again"
    case .unsupported(let path, let construct):
      "\(path) uses \(construct), which Apus does not support; use a tokenizer of the GPT-2, Llama, "
        + "Qwen, BERT or T5 family, or train one with `apus tokenizer train`"
    case .foreignFormat(let path, let format):
      "\(path) is in the format of \(format), which Apus does not read; take the model's "
        + "tokenizer.json, or let transformers write it: "
        + "AutoTokenizer.from_pretrained(folder).save_pretrained(folder)"
    case .unstatedWords(let path, let byte):
      "\(path) and merges.txt do not say how a text is split into words, and this is not GPT-2's "
        + "vocabulary, because byte \(byte) has no token; add the model's tokenizer.json, or its "
        + "tokenizer_config.json with tokenizer_class and added_tokens_decoder"
    case .unextendable(let kind):
      "a tokenizer with this kind of \(kind) model cannot be extended: its vocabulary takes no new "
        + "tokens at its end; extend one with byte-level BPE (GPT-2, Llama 3, Qwen, SmolLM2) or "
        + "WordPiece (BERT)"
    case .unusableTemplate(let path, let reason):
      "\(path) holds a chat template that cannot be used: \(reason); name one of "
        + ChatTemplate.builtIn.map(\.name).joined(separator: ", ") + " to use instead"
    case .unencodableTemplate(let name, let text):
      "the tokenizer has no token for '\(text)' of the chat template \(name); set data.template to one "
        + "that it can encode, such as plain"
    case .unrendered(let reason):
      "a conversation cannot be rendered: \(reason); change the conversation or name another "
        + "template"
    case .unwritable(let path, let cause):
      "cannot write \(path): \(cause.reason.lowercased()); check free space and permissions"
    }
  }
}

/// A defect of a vocabulary or its merges.
package enum VocabularyDefect: Equatable, Sendable, CustomStringConvertible {
  /// A token that has two ids.
  case duplicateToken(String)
  /// An id that two tokens share.
  case duplicateID(Int)
  /// An id that no token has, below the highest id.
  case missingID(Int)
  /// A token that the byte alphabet cannot spell.
  case foreignToken(String)
  /// A byte without a token: some text could not be encoded.
  case missingByte(UInt8)
  /// A missing token that the family requires.
  case missingToken(String)
  /// A merge whose part or result is not in the vocabulary; `index` counts from 0.
  case unknownMergeToken(index: Int, token: String)
  /// A pair that occurs twice among the merges; `index` counts from 0.
  case repeatedMerge(index: Int)
  /// A special token that plain text could produce.
  case reachableSpecial(String)
  /// A vocabulary without its end-of-text token.
  case missingEndOfText(String)

  /// The defect as a clause.
  package var description: String {
    switch self {
    case .duplicateToken(let token): "token '\(token)' occurs twice"
    case .duplicateID(let id): "id \(id) belongs to two tokens"
    case .missingID(let id): "no token has id \(id), but higher ids exist"
    case .foreignToken(let token): "token '\(token)' is not spelled in the byte alphabet"
    case .missingByte(let byte): "byte \(byte) has no token"
    case .missingToken(let token): "token '\(token)' is missing"
    case .unknownMergeToken(let index, let token):
      "merge \(index) refers to '\(token)', which is not in the vocabulary"
    case .repeatedMerge(let index): "merge \(index) repeats an earlier one"
    case .reachableSpecial(let token):
      "special token '\(token)' is also a byte or the result of a merge"
    case .missingEndOfText(let token):
      "the end-of-text token '\(token)' is not among its special tokens"
    }
  }
}
