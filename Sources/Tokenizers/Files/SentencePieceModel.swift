/// A sentencepiece model (spiece.model or tokenizer.model), which is a Protocol Buffers message.
///
///     ModelProto       1 pieces (repeated SentencePiece)  2 TrainerSpec  3 NormalizerSpec
///     SentencePiece    1 piece (text)  2 score (float)  3 type
///     TrainerSpec      3 model_type  24 treat_whitespace_as_suffix  35 byte_fallback
///                      40 unk_id  41 bos_id  42 eos_id  45 unk_piece  46 bos_piece  47 eos_piece
///     NormalizerSpec   2 precompiled_charsmap  3 add_dummy_prefix  4 remove_extra_whitespaces
///                      5 escape_whitespaces
///
/// The other fields of TrainerSpec are settings of the training, those of NormalizerSpec the source
/// of the character map; ModelProto's others are self-tests and the map of decoded text.
struct SentencePieceModel {
  /// The type of a piece.
  enum Kind: UInt64 {
    case normal = 1
    case unknown = 2
    case control = 3
    case userDefined = 4
    case unused = 5
    case byte = 6
  }

  struct Piece {
    var text = ""
    var score: Float = 0
    var kind = Kind.normal
  }

  enum Algorithm: UInt64 {
    case unigram = 1
    case bytePairs = 2
    case words = 3
    case characters = 4

    /// The name in sentencepiece.
    var name: String {
      switch self {
      case .unigram: "Unigram"
      case .bytePairs: "BPE"
      case .words: "Word"
      case .characters: "Char"
      }
    }
  }

  let path: String
  private(set) var pieces: [Piece] = []
  private(set) var algorithm = Algorithm.unigram
  private(set) var fallsBackToBytes = false
  private(set) var characterMap: [UInt8] = []
  private(set) var addsPrefix = true
  private(set) var removesExtraSpace = true
  /// The pieces for unknown text, the beginning and the end, without those that the model lacks.
  var specialPieces: [TokenizerClass.NamedToken] {
    special.compactMap { $0.id < 0 ? nil : ($0.name, $0.piece) }
  }
  private var special: [(name: String, id: Int32, piece: String)] = [
    ("unk_token", 0, "<unk>"), ("bos_token", 1, "<s>"), ("eos_token", 2, "</s>"),
  ]

  /// Reads the file at `path`.
  init(path: String) throws(TokenizerError) {
    self.path = path
    let bytes = try TokenizerFile.contents(of: path)
    do {
      try read(bytes[...])
    } catch let error as ProtobufReader.Malformed {
      throw .malformedModel(
        path: path, reason: "its message is truncated or malformed at byte \(error.position)")
    } catch let error as TokenizerError {
      throw error
    } catch {
      throw .malformedModel(path: path, reason: "\(error)")
    }
    guard !pieces.isEmpty else { throw .malformedModel(path: path, reason: "it has no pieces") }
  }

  private mutating func read(_ bytes: ArraySlice<UInt8>) throws {
    var reader = ProtobufReader(bytes)
    while let (number, value) = try reader.next() {
      guard case .bytes(let message) = value else { continue }
      switch number {
      case 1: pieces.append(try piece(message))
      case 2: try readTrainer(message)
      case 3: try readNormalizer(message)
      default: break
      }
    }
  }

  private func piece(_ bytes: ArraySlice<UInt8>) throws -> Piece {
    var piece = Piece()
    var reader = ProtobufReader(bytes)
    while let (number, value) = try reader.next() {
      switch (number, value) {
      case (1, .bytes(let text)):
        guard let text = String(validating: text, as: UTF8.self) else {
          throw TokenizerError.malformedModel(
            path: path, reason: "piece \(pieces.count) is not valid UTF-8")
        }
        piece.text = text
      case (2, .fixed32(let bits)): piece.score = Float(bitPattern: bits)
      case (3, .varint(let number)):
        guard let kind = Kind(rawValue: number) else {
          throw TokenizerError.unsupported(path: path, construct: "piece of type \(number)")
        }
        piece.kind = kind
      default: break
      }
    }
    guard piece.score.isFinite else {
      throw TokenizerError.malformedModel(
        path: path, reason: "the score of piece \(pieces.count) is not finite")
    }
    return piece
  }

  private mutating func readTrainer(_ bytes: ArraySlice<UInt8>) throws {
    var reader = ProtobufReader(bytes)
    while let (number, value) = try reader.next() {
      if case .bytes(let text) = value, 45...47 ~= number {
        special[number - 45].piece = String(decoding: text, as: UTF8.self)
      }
      guard case .varint(let flag) = value else { continue }
      if 40...42 ~= number { special[number - 40].id = Int32(truncatingIfNeeded: flag) }
      if number == 35 { fallsBackToBytes = flag != 0 }
      if number == 24, flag != 0 {
        throw TokenizerError.unsupported(
          path: path, construct: "spaces at the ends of words (treat_whitespace_as_suffix)")
      }
      if number == 3 {
        guard let algorithm = Algorithm(rawValue: flag) else {
          throw TokenizerError.unsupported(path: path, construct: "model of type \(flag)")
        }
        self.algorithm = algorithm
      }
    }
  }

  private mutating func readNormalizer(_ bytes: ArraySlice<UInt8>) throws {
    var reader = ProtobufReader(bytes)
    while let (number, value) = try reader.next() {
      switch (number, value) {
      case (2, .bytes(let map)): characterMap = Array(map)
      case (3, .varint(let flag)): addsPrefix = flag != 0
      case (4, .varint(let flag)): removesExtraSpace = flag != 0
      case (5, .varint(0)):
        throw TokenizerError.unsupported(
          path: path, construct: "spaces that are not written as ▁ (escape_whitespaces: false)")
      default: break
      }
    }
  }
}
