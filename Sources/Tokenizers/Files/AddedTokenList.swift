import Files

/// The added tokens of a tokenizer.json as a class of transformers has them.
///
/// The order decides the ids of those that the vocabulary lacks: the tokens of
/// `added_tokens_decoder` by their ids, or else those of added_tokens.json and the document; the named
/// special tokens; `extra_special_tokens`. A class that builds its tokenizer anew has no others; the
/// ids in `added_tokens_decoder` count only for the order.
struct AddedTokenList {
  /// The entries of `added_tokens` in the order of their ids.
  var entries: [JSONValue] { tokens.sorted { $0.key < $1.key }.map(\.value) }
  /// True when the entries differ from those of the document.
  private(set) var isChanged = false

  private var tokens: [Int: JSONValue] = [:]
  private var ids: [[UInt8]: Int] = [:]
  /// The texts of the named special tokens.
  private let names: [(name: String, text: String)]
  /// The number of the model's tokens, and the ids of those that may be added.
  private let known: (count: Int, ids: [[UInt8]: Int])
  /// The texts that the document adds.
  private let own: Set<[UInt8]>
  private let rows: Int?
  private let path: String

  /// - Parameters:
  ///   - kind: The class; nil for one without special tokens of its own.
  ///   - usual: The special tokens by name where the settings name none; nil for those of `kind`.
  ///   - keepsOwn: True for tokens of `document` that the settings do not list.
  ///   - rows: The number of ids that the model has: tokens of the settings beyond are left out; nil
  ///     without a limit.
  init(
    _ settings: TokenizerConfiguration, of kind: TokenizerClass?,
    usual: [TokenizerClass.NamedToken]? = nil, keepsOwn: Bool, in document: JSONFile, rows: Int?
  ) throws(TokenizerError) {
    let own = try document.addedTokens().map(\.entry)
    var stated = settings.addedTokens ?? own
    if settings.addedTokens == nil { stated = try settings.olderTokens() + own }
    let listed = Dictionary(stated.map { ($0["id"]?.integer ?? 0, $0) }) { $1 }
      .sorted { $0.key < $1.key }.map(\.value)
    let named = settings.namedTokens(usual ?? kind?.specialTokens ?? [])
    let extra = settings.extraTokens
    names = named.compactMap { name, entry in Self.content(entry).map { (name, $0) } }
    path = FileSystem.join(settings.folder, TokenizerFile.configurationName)
    known = Self.ids(in: document.root, of: own + listed + named.map(\.entry) + extra)
    self.own = Set(own.map(Self.key))
    self.rows = rows
    if keepsOwn { for entry in own { put(entry, id: entry["id"]?.integer) } }
    let special = Set(named.map { Self.key($0.entry) })
    for entry in listed { put(entry, isSpecial: special.contains(Self.key(entry))) }
    for (_, entry) in named where ids[Self.key(entry)] == nil { put(entry, isSpecial: true) }
    for entry in extra where ids[Self.key(entry)] == nil { put(entry) }
    if kind == .qwen2 {
      // This class adds all of them once more, as plain special tokens.
      for entry in named.map(\.entry) + extra { put(.string(Self.content(entry) ?? "")) }
    }
    isChanged = JSONValue.array(entries).compact != JSONValue.array(own).compact
  }

  /// Adds a token, or replaces the one with its text; without an `id` it has that of the vocabulary, or
  /// the next one.
  private mutating func put(_ entry: JSONValue, id: Int? = nil, isSpecial: Bool = false) {
    let key = Self.key(entry)
    if key.isEmpty { return }
    let id = id ?? ids[key] ?? known.ids[key] ?? max(known.count, (tokens.keys.max() ?? -1) + 1)
    if let rows, id >= rows, !own.contains(key) { return }
    ids[key] = id
    tokens[id] = Self.entry(entry, id: id, isSpecial: isSpecial)
  }

  /// Returns true when the settings or the class name a special token `name`.
  func names(_ name: String) -> Bool { names.contains { $0.name == name } }

  /// Returns the text and id of the special token `name`.
  func named(_ name: String) throws(TokenizerError) -> (token: String, id: Int) {
    guard let text = names.first(where: { $0.name == name })?.text, let id = ids[Array(text.utf8)]
    else {
      throw .invalidField(path: path, field: name, expected: "a token of the vocabulary")
    }
    return (text, id)
  }

  /// The text of a token, which is a string or an object.
  static func content(_ entry: JSONValue) -> String? { entry.string ?? entry["content"]?.string }

  /// The bytes of the text of a token; none for other values.
  private static func key(_ entry: JSONValue) -> [UInt8] { Array((content(entry) ?? "").utf8) }

  /// Returns the entry of `added_tokens` for a token; a text alone is special.
  private static func entry(_ value: JSONValue, id: Int, isSpecial: Bool) -> JSONValue {
    func flag(_ name: String, _ usual: Bool = false) -> JSONValue {
      .bool(value[name]?.bool ?? usual)
    }
    let special = value.string != nil || value["special"]?.bool == true
    return [
      "id": .integer(id), "content": .string(content(value) ?? ""),
      "single_word": flag("single_word"), "lstrip": flag("lstrip"), "rstrip": flag("rstrip"),
      "normalized": flag("normalized", !special), "special": .bool(special || isSpecial),
    ]
  }

  /// Returns the number of the model's tokens in `document`, and the ids of those in `entries`.
  private static func ids(
    in document: JSONValue, of entries: [JSONValue]
  ) -> (count: Int, ids: [[UInt8]: Int]) {
    let wanted = Set(entries.map(key))
    var ids: [[UInt8]: Int] = [:]
    let vocabulary = document["model"]?["vocab"]
    func see(_ text: String?, _ id: Int?) {
      guard let text, let id else { return }
      let key = Array(text.utf8)
      if wanted.contains(key) { ids[key] = id }
    }
    for (text, id) in vocabulary?.members ?? [] { see(text, id.integer) }
    for (id, piece) in (vocabulary?.array ?? []).enumerated() {
      see(piece.array?.first?.string ?? piece.string, id)
    }
    return (vocabulary?.members?.count ?? vocabulary?.array?.count ?? 0, ids)
  }
}

extension TokenizerConfiguration {
  private static let addedTokensName = "added_tokens.json"
  /// The names of the special tokens in the order in which transformers adds them.
  static let tokenNames = [
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
  ]

  /// The special tokens by name, those of `usual` where the settings name none, then those of other
  /// names.
  func namedTokens(
    _ usual: [TokenizerClass.NamedToken] = []
  ) -> [(name: String, entry: JSONValue)] {
    let settings = self.settings
    func stated(_ name: String) -> JSONValue? { settings.first { $0.key == name }?.value }
    let known = Self.tokenNames.compactMap { name -> (name: String, entry: JSONValue)? in
      let entry =
        stated(name) ?? usual.first { $0.name == name }.map { .string($0.text) } ?? .null
      return entry.isNull ? nil : (name, entry)
    }
    let others = settings.filter { $0.key.hasSuffix("_token") && !Self.tokenNames.contains($0.key) }
    let objects = [stated("model_specific_special_tokens"), stated("extra_special_tokens")]
    return known
      + (others + objects.compactMap { $0?.members }.joined())
      .filter { AddedTokenList.content($0.value) != nil }.map { ($0.key, $0.value) }
  }

  /// The tokens of `extra_special_tokens`, or of `additional_special_tokens` where these are none.
  var extraTokens: [JSONValue] {
    func list(_ name: String) -> JSONValue? { settings.first { $0.key == name }?.value }
    let extra = list("extra_special_tokens")
    if let tokens = extra?.array, !tokens.isEmpty { return tokens }
    if let tokens = extra?.members, !tokens.isEmpty { return [] }
    return list("additional_special_tokens")?.array ?? []
  }

  /// The tokens of an added_tokens.json, which older versions of transformers wrote.
  func olderTokens() throws(TokenizerError) -> [JSONValue] {
    let path = FileSystem.join(folder, Self.addedTokensName)
    guard FileStatus.isPresent(path) else { return [] }
    let special = Set(specialTokens)
    return (try JSONFile(path: path).root.members ?? []).map { text, id in
      let isSpecial = special.contains(text)
      return [
        "id": id, "content": .string(text), "normalized": .bool(!isSpecial),
        "special": .bool(isSpecial),
      ]
    }
  }
}
