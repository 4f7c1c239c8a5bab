// Readers of post-processors, decoders and added tokens.

import Files

extension ComponentReader {
  /// Reads the post-processor in `value`; nil for null.
  func postProcessor(
    _ value: JSONValue, _ field: String = "post_processor"
  ) throws(TokenizerError) -> (any PostProcessor)? {
    if value.isNull { return nil }
    switch try type(value, field) {
    case "Sequence":
      return PostProcessorSequence(
        postProcessors: try parts(value, "processors", field, postProcessor))
    case "ByteLevel": return try byteLevel(value, field)
    case "TemplateProcessing":
      return TemplatePostProcessor(
        single: try template(value, "single", field), pair: try template(value, "pair", field))
    case "BertProcessing":
      return BertPostProcessor(
        separator: try token(value, "sep", field), classifier: try token(value, "cls", field))
    case "RobertaProcessing":
      return RobertaPostProcessor(
        separator: try token(value, "sep", field), classifier: try token(value, "cls", field),
        trimming: try byteLevel(value, field))
    default: throw document.unsupported(field, value)
    }
  }

  private func byteLevel(
    _ value: JSONValue, _ field: String
  ) throws(TokenizerError) -> ByteLevelPostProcessor {
    ByteLevelPostProcessor(
      trimsOffsets: try bool(value, "trim_offsets", field, default: true),
      addsPrefixSpace: try bool(value, "add_prefix_space", field, default: true))
  }

  /// Reads the id of a token in the form `["[SEP]", 102]`.
  private func token(
    _ value: JSONValue, _ name: String, _ field: String
  ) throws(TokenizerError) -> TokenID {
    guard let pair = value[name]?.array, pair.count == 2, let id = pair[1].tokenID else {
      throw document.invalid("\(field).\(name)", "a token with its id")
    }
    return id
  }

  private func template(
    _ value: JSONValue, _ name: String, _ field: String
  ) throws(TokenizerError) -> [TemplatePostProcessor.Piece] {
    guard let pieces = value[name]?.array else {
      if name == "pair" { return [.text(0, typeID: 0), .text(1, typeID: 1)] }
      throw document.invalid("\(field).\(name)", "a list")
    }
    var result: [TemplatePostProcessor.Piece] = []
    for (index, piece) in pieces.enumerated() {
      let place = "\(field).\(name)[\(index)]"
      if let text = piece["Sequence"] {
        let typeID = text["type_id"]?.integer ?? 0
        result.append(.text(text["id"]?.string == "B" ? 1 : 0, typeID: typeID))
      } else if let token = piece["SpecialToken"], let name = token["id"]?.string {
        guard let ids = value["special_tokens"]?[name]?["ids"]?.array else {
          throw document.invalid("\(field).special_tokens.\(name).ids", "a list")
        }
        var numbers: [TokenID] = []
        for id in ids {
          guard let id = id.tokenID else {
            throw document.invalid("\(field).special_tokens.\(name).ids", "non-negative ids")
          }
          numbers.append(id)
        }
        result.append(.tokens(numbers, typeID: token["type_id"]?.integer ?? 0))
      } else {
        throw document.invalid(place, "a Sequence or a SpecialToken")
      }
    }
    return result
  }

  /// Reads the decoder in `value`; nil for null.
  func decoder(
    _ value: JSONValue, _ field: String = "decoder"
  ) throws(TokenizerError) -> (any TokenDecoder)? {
    if value.isNull { return nil }
    switch try type(value, field) {
    case "Sequence":
      return DecoderSequence(decoders: try parts(value, "decoders", field, decoder))
    case "ByteLevel": return ByteLevelDecoder()
    case "ByteFallback": return ByteFallbackDecoder()
    case "Fuse": return FuseDecoder()
    case "WordPiece":
      return WordPieceDecoder(
        prefix: Array(try text(value, "prefix", field, default: "##").utf8),
        cleansUp: try bool(value, "cleanup", field, default: true))
    case "Metaspace":
      return MetaspaceDecoder(
        replacement: try replacement(value, field),
        dropsFirst: try prependScheme(value, field) != .never)
    case "Replace":
      return ReplaceDecoder(
        pattern: try pattern(value, field), content: Array(try text(value, "content", field).utf8))
    case "Strip":
      return StripDecoder(
        content: Array(try text(value, "content", field).utf8),
        left: try integer(value, "start", field), right: try integer(value, "stop", field))
    default: throw document.unsupported(field, value)
    }
  }

  /// Reads the added tokens, in the order of the file.
  func addedTokens() throws(TokenizerError) -> [AddedToken] {
    var tokens: [AddedToken] = []
    for (index, (entry, content, id)) in try document.addedTokens().enumerated() {
      let field = "added_tokens[\(index)]"
      tokens.append(
        AddedToken(
          id: id, content: content,
          isSingleWord: try bool(entry, "single_word", field, default: false),
          stripsLeft: try bool(entry, "lstrip", field, default: false),
          stripsRight: try bool(entry, "rstrip", field, default: false),
          isNormalized: try bool(entry, "normalized", field, default: false),
          isSpecial: try bool(entry, "special", field, default: false)))
    }
    return tokens
  }
}
