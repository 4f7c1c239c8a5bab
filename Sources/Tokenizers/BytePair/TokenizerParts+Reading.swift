// Readers for the two file layouts of a byte-level BPE.

import Files

extension TokenizerParts {
  /// Returns true when a tokenizer.json describes exactly GPT-2's pipeline: bytes, its pattern,
  /// plain merges and special tokens.
  static func isByteLevel(_ root: JSONValue) -> Bool {
    func isNull(_ element: JSONValue?) -> Bool { element?.isNull ?? true }
    guard isNull(root["normalizer"]), let preTokenizer = root["pre_tokenizer"],
      preTokenizer["type"]?.string == "ByteLevel",
      preTokenizer["add_prefix_space"]?.bool == false,
      // Files older than this field always use the pattern.
      preTokenizer["use_regex"].map({ $0.bool == true }) ?? true,
      isNull(root["decoder"]) || root["decoder"]?["type"]?.string == "ByteLevel",
      changesNothing(root["post_processor"] ?? .null), let model = root["model"],
      // Old files omit the type; among them only BPE models have merges.
      model["type"].map({ $0.string == "BPE" }) ?? true
    else { return false }
    for name in ["dropout", "continuing_subword_prefix", "end_of_word_suffix"] {
      if !isNull(model[name]), model[name]?.string != "" { return false }
    }
    if ["byte_fallback", "ignore_merges"].contains(where: { model[$0]?.bool == true }) {
      return false
    }
    return root["added_tokens"]?.array?.allSatisfy {
      $0["special"]?.bool == true && $0["lstrip"]?.bool != true && $0["rstrip"]?.bool != true
        && $0["single_word"]?.bool != true
    } ?? true
  }

  /// Reads a tokenizer.json for which `isByteLevel` returns true.
  init(_ document: JSONFile) throws(TokenizerError) {
    self.init(path: document.path)
    specialTokens = try document.addedTokens().map { ($0.content, Int($0.id)) }
    let model = try document.object("model", in: document.root)
    vocabulary = try Self.vocabulary(try document.field("model.vocab", model["vocab"]), document)
    merges = try Self.merges(document.field("model.merges", model["merges"]), document)
  }

  /// Reads GPT-2's vocab.json and merges.txt.
  init(vocabularyJSON path: String, mergesText: String) throws(TokenizerError) {
    self.init(path: path)
    let document = try JSONFile(path: path)
    vocabulary = try Self.vocabulary(document.root, document)
    let lines = try TokenizerFile.contents(of: mergesText).split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      var line = line
      if line.last == UInt8(ascii: "\r") { line.removeLast() }
      if line.isEmpty || line.starts(with: "#version".utf8) { continue }
      guard let text = String(validating: line, as: UTF8.self), let pair = Self.pair(text) else {
        throw .malformedMerge(path: mergesText, line: index + 1)
      }
      merges.append(pair)
    }
  }

  /// The first byte that has no token; nil for a vocabulary that spells every text, as GPT-2's.
  var missingByte: UInt8? {
    let tokens = Set(vocabulary.map(\.key))
    return (UInt8.min...UInt8.max).first { !tokens.contains(ByteAlphabet.spelling(of: [$0])) }
  }

  /// Returns true when a post-processor changes neither ids nor offsets; a template that consists
  /// of the text alone, as transformers writes it, changes neither.
  private static func changesNothing(_ postProcessor: JSONValue) -> Bool {
    if postProcessor.isNull { return true }
    if postProcessor["type"]?.string == "ByteLevel" {
      return postProcessor["trim_offsets"]?.bool == false
    }
    guard postProcessor["type"]?.string == "TemplateProcessing",
      let pieces = postProcessor["single"]?.array
    else { return false }
    return pieces.count == 1 && pieces[0]["Sequence"] != nil
  }

  static func vocabulary(
    _ value: JSONValue, _ document: JSONFile
  ) throws(TokenizerError) -> [(key: String, id: Int)] {
    guard let members = value.members else {
      throw document.invalid("vocab", "an object of tokens and ids")
    }
    var entries: [(key: String, id: Int)] = []
    entries.reserveCapacity(members.count)
    for (key, value) in members {
      guard let id = value.tokenID, !key.isEmpty else {
        throw document.invalid("vocab.\(key)", "a non-negative id of a non-empty token")
      }
      entries.append((key, Int(id)))
    }
    return entries
  }

  /// Reads merges, which are pairs, or in files older than tokenizers 0.20 strings with one space.
  static func merges(
    _ value: JSONValue, _ document: JSONFile
  ) throws(TokenizerError) -> [Pair] {
    guard let values = value.array else { throw document.invalid("model.merges", "a list") }
    var merges: [Pair] = []
    merges.reserveCapacity(values.count)
    for (index, value) in values.enumerated() {
      if let parts = value.array, parts.count == 2, let left = parts[0].string,
        let right = parts[1].string
      {
        merges.append((left, right))
      } else if let pair = value.string.flatMap(pair) {
        merges.append(pair)
      } else {
        throw document.invalid("model.merges[\(index)]", "a pair of tokens")
      }
    }
    return merges
  }

  static func pair(_ text: String) -> Pair? {
    let parts = text.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty,
      let left = String(parts[0]), let right = String(parts[1])
    else { return nil }
    return (left, right)
  }
}
