import Files
import Testing

@testable import Tokenizers

/// The settings of tokenizer_config.json, compared with transformers' classes.
@Suite struct TokenizerConfigurationTests {
  private static func withFolder(
    _ files: [String: JSONValue], _ body: (String) throws -> Void
  ) throws {
    let folder = "/tmp/apus-settings-\(UInt64.random(in: 0...UInt64.max))"
    defer { try? FileSystem.removeTree(folder) }
    for (name, value) in files {
      try PendingFile.write(value.indented, to: FileSystem.join(folder, name))
    }
    try body(folder)
  }

  /// The list of keys has all of `tokenizer_keys.py`, each once, with a reason where it is ignored.
  @Test func everyKeyOfTheClassesIsListed() throws {
    let snapshot = try JSONReader.read(Goldens.bytes("tokenizer_keys.json"))
    let classes = try #require(snapshot["classes"]?.members)
    let lists = [snapshot["common"]].compactMap(\.self) + classes.map(\.value)
    let names = lists.flatMap { $0.array ?? [] }.compactMap(\.string)
    let listed = TokenizerConfiguration.keys.flatMap(\.names)
    #expect(classes.count == 7 && names.count > 60 && listed.count == Set(listed).count)
    #expect(Set(names).subtracting(listed).isEmpty, "\(Set(names).subtracting(listed).sorted())")
    for key in TokenizerConfiguration.keys {
      if case .irrelevant(let reason) = key.use { #expect(reason.count > 20) }
    }
  }

  /// SmolLM2's tokenizer.json has single digits, and its class is GPT2Tokenizer.
  ///
  /// transformers 5.24 drops the step; the tokenizers package, which the model was trained with, does not.
  @Test func stepsBesideTheClassesAreKept() throws {
    let bytes: JSONValue = [
      "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
    ]
    let split: JSONValue = [
      "type": "Split", "pattern": ["String": "e"], "behavior": "Isolated", "invert": false,
    ]
    let golden = try JSONReader.read(Goldens.bytes("tokenizer_classes.json"))
    let document = try #require(golden["documents"]?["bytes"])
    func tokens(_ settings: [(String, JSONValue)], _ steps: [JSONValue]) throws -> [String] {
      var result: [String] = []
      let named: [(String, JSONValue)] = [("eos_token", "<|endoftext|>")]
      let files: [String: JSONValue] = [
        "tokenizer.json": document.replacing([
          ("pre_tokenizer", ["type": "Sequence", "pretokenizers": .array(steps)])
        ]),
        "tokenizer_config.json": .object((named + settings).map { (key: $0.0, value: $0.1) }),
      ]
      try Self.withFolder(files) { folder in
        let tokenizer = try TokenizerFile.load(from: folder)
        result = try tokenizer.encode("the Hello").map {
          String(decoding: try tokenizer.decode([$0]), as: UTF8.self)
        }
      }
      return result
    }
    let name = ("tokenizer_class", JSONValue.string("GPT2Tokenizer"))
    let asPublished = try tokens([], [split, bytes])
    #expect(try tokens([], [bytes]) != asPublished)
    #expect(try tokens([name], [split, bytes]) == asPublished)
    #expect(try tokens([name, ("add_prefix_space", true)], [split, bytes]).first?.first == " ")
  }

  /// The ids of `tokenizer_classes.py`: which settings count depends on the class.
  @Test func settingsCountAsInTheClass() throws {
    let golden = try JSONReader.read(Goldens.bytes("tokenizer_classes.json"))
    let texts = try #require(golden["texts"]?.array).compactMap(\.string)
    let cases = try #require(golden["cases"]?.array)
    #expect(cases.count == 24)
    for one in cases {
      let name = try #require(one["document"]?.string)
      let settings = try #require(one["settings"])
      let files = [
        "tokenizer.json": try #require(golden["documents"]?[name]),
        "tokenizer_config.json": settings,
        "config.json": .object([("model_type", try #require(one["model_type"]))]),
      ]
      try Self.withFolder(files) { folder in
        let tokenizer = try TokenizerFile.load(from: folder)
        let ids = try #require(one["ids"]?.array).map { ids in
          ids.array?.compactMap { $0.integer.map { TokenID($0) } }
        }
        for (text, expected) in zip(texts, ids) {
          let chat = tokenizer.encode(text)
          // Special tokens in a text stay text in Apus.
          if text.contains("[SEP]") { continue }
          #expect(chat == expected, "\(name) \(settings): \(text)")
        }
      }
    }
  }

  /// The classes by `model_type` are those of transformers, for the models that Apus has.
  @Test func classesOfModelsAreThoseOfTransformers() throws {
    let snapshot = try JSONReader.read(Goldens.bytes("tokenizer_keys.json"))
    let backends = try #require(snapshot["backends"]?.array).compactMap(\.string)
    #expect(TokenizerClass.asPublished == Set(backends))
    let others = try #require(snapshot["others"]?.array).compactMap(\.string)
    #expect(others.count > 80 && TokenizerClass.others == Set(others))
    let registered = try #require(snapshot["registered"])
    for (type, kind) in TokenizerClass.registered {
      #expect(registered[type]?.string == kind.rawValue, "\(type)")
    }
    for type in ["bert", "gpt2", "qwen2", "qwen3", "gemma", "gemma3_text", "t5", "mt5"] {
      #expect(TokenizerClass.registered[type] != nil, "\(type)")
    }
  }

  /// The number of ids and the ids of `tokenizer_settings.py`: special tokens that the settings name
  /// are added, and parts of a tokenizer.json that the class ignores do not count.
  @Test func specialTokensOfTheSettingsAreAdded() throws {
    let golden = try JSONReader.read(Goldens.bytes("tokenizer_settings.json"))
    var documents = try #require(
      JSONReader.read(Goldens.bytes("tokenizer_classes.json"))["documents"]?.members)
    documents.append(("pieces", try JSONReader.read(Goldens.bytes("pipelines/llama2.json"))))
    let texts = try #require(golden["texts"]?.array).compactMap(\.string)
    let cases = try #require(golden["cases"]?.array)
    #expect(cases.count == 105 && texts.count == 2)
    for one in cases {
      let name = try #require(one["document"]?.string)
      var files = Dictionary(uniqueKeysWithValues: try #require(one["files"]?.members))
      files["tokenizer.json"] = documents.first { $0.key == name }?.value
      let label = "\(name) \(String(decoding: (one["files"] ?? .null).compact, as: UTF8.self))"
      try Self.withFolder(files) { folder in
        let tokenizer = try TokenizerFile.load(from: folder)
        let expected = try #require(one["ids"]?.array).map { ids in
          ids.array?.compactMap { $0.integer.map { TokenID($0) } }
        }
        #expect(tokenizer.vocabularySize == one["count"]?.integer, "\(label)")
        #expect(tokenizer.encodeWithSpecialTokens(texts[0]) == expected[0], "\(label)")
        let everywhere = RangeSet(0..<texts[1].utf8.count)
        #expect(
          tokenizer.encoding(of: texts[1], specialTokensIn: everywhere).ids == expected[1],
          "\(label)")
        #expect(try TokenizerFile.notes(from: folder, for: tokenizer) == [], "\(label)")
      }
    }
  }

  /// A special token without an embedding stays text and is noted; those of the file are not left out.
  @Test func specialTokensBeyondTheModelStayText() throws {
    let files = [
      "tokenizer.json": try JSONReader.read(Goldens.bytes("tokenizer.json")),
      "tokenizer_config.json": try JSONReader.read(
        Array(#"{"pad_token": "<|pad|>", "extra_special_tokens": ["<|call|>"]}"#.utf8)),
    ]
    try Self.withFolder(files) { folder in
      let whole = try TokenizerFile.load(from: folder)
      let count = whole.vocabularySize
      #expect(whole.specialToken("<|pad|>").map(Int.init) == count - 2)
      let cut = try TokenizerFile.load(from: folder, rows: count - 1)
      #expect(cut.vocabularySize == count - 1 && cut.specialToken("<|call|>") == nil)
      let notes = try TokenizerFile.notes(from: folder, for: cut)
      #expect(notes.count == 1 && notes[0].contains("<|call|>, special tokens that the tokenizer"))
      #expect(try TokenizerFile.load(from: folder, rows: 1).vocabularySize == count - 2)
    }
  }

  /// A copy names another class than the published folder, and means the same to transformers
  /// (`tokenizer_kept.py`).
  @Test func aCopyKeepsTheSettings() throws {
    let golden = try JSONReader.read(Goldens.bytes("tokenizer_classes.json"))
    let documents = try #require(golden["documents"]?.members)
    let pieces = try JSONReader.read(Goldens.bytes("pipelines/llama2.json"))
    let cases = try #require(JSONReader.read(Goldens.bytes("tokenizer_kept.json")).array)
    // The defaults of TokenizersBackend, the class of a copy.
    let defaults: [String: JSONValue] = [
      "padding_side": "right", "truncation_side": "right", "pad_token_type_id": 0,
      "model_input_names": ["input_ids", "attention_mask"], "split_special_tokens": false,
      "model_max_length": .number(1e30), "extra_special_tokens": [],
    ]
    #expect(cases.count == 10)
    for one in cases {
      let name = one["document"]?.string
      let files = [
        "tokenizer.json": documents.first { $0.key == name }?.value ?? pieces,
        "tokenizer_config.json": try #require(one["settings"]),
        "config.json": try #require(one["config"]),
      ]
      try Self.withFolder(files) { folder in
        let tokenizer = try TokenizerFile.load(from: folder)
        try TokenizerFile.save(tokenizer, toFolder: "\(folder)/copy")
        let path = "\(folder)/copy/tokenizer_config.json"
        let copy = try JSONFile(path: path).root
        #expect(copy["tokenizer_class"]?.string == "PreTrainedTokenizerFast")
        for (key, value) in try #require(one["state"]?.members) {
          let own = copy[key] ?? defaults[key] ?? .null
          let isEqual = value.number.map { $0 == own.number } ?? (own.compact == value.compact)
          #expect(isEqual, "\(name ?? "") \(one["settings"] ?? .null) \(key) \(own)")
        }
        // A copy of the copy has the same settings.
        try PendingFile.write(
          try #require(one["config"]).compact, to: "\(folder)/copy/config.json")
        let again = try TokenizerFile.load(from: "\(folder)/copy")
        #expect(
          try TokenizerFile.files(of: again)[1].contents == TokenizerFile.contents(of: path),
          "\(name ?? "")")
        let short = TokenizerFile.files(of: tokenizer, context: 16)[1].contents
        #expect(try JSONReader.read(short)["model_max_length"]?.integer == 16)
        let stated = copy["model_max_length"]?.integer
        let long = TokenizerFile.files(of: tokenizer, context: 1024)[1].contents
        #expect(try JSONReader.read(long)["model_max_length"]?.integer == stated ?? 1024)
      }
    }
  }

  @Test func settingsAboutTheFolderAreNotCopied() throws {
    let files = [
      "tokenizer.json": try JSONReader.read(Goldens.bytes("tokenizer.json")),
      "tokenizer_config.json": try JSONReader.read(
        Array(
          #"{"auto_map": {"AutoTokenizer": ["a.B", null]}, "name_or_path": "x", "own": [1],"#.utf8)
          + Array(#" "add_bos_token": true, "image_token": "<none>", "bos_token": null}"#.utf8)),
    ]
    try Self.withFolder(files) { folder in
      let tokenizer = try TokenizerFile.load(from: folder, rows: 1)
      let copy = try JSONReader.read(TokenizerFile.files(of: tokenizer)[1].contents)
      #expect(copy["own"]?.array?.count == 1 && copy["bos_token"]?.isNull == true)
      for name in ["auto_map", "name_or_path", "add_bos_token", "image_token"] {
        #expect(copy[name] == nil, "\(name)")
      }
    }
  }

  @Test(arguments: [
    (#"{"split_special_tokens": true}"#, "split_special_tokens true"),
    (#"{"fix_mistral_regex": true}"#, "fix_mistral_regex true"),
  ])
  func settingsOfAnotherTokenizerAreRefused(text: String, words: String) throws {
    let files = [
      "tokenizer.json": try JSONReader.read(Goldens.bytes("tokenizer.json")),
      "tokenizer_config.json": try JSONReader.read(Array(text.utf8)),
    ]
    try Self.withFolder(files) { folder in
      let error = #expect(throws: TokenizerError.self) { try TokenizerFile.load(from: folder) }
      #expect("\(error as Any)".contains(words))
    }
  }

  @Test func unknownKeysAreNoted() throws {
    func notes(_ text: String) throws -> [String] {
      var notes: [String] = []
      let files = [
        "tokenizer.json": try JSONReader.read(Goldens.bytes("tokenizer.json")),
        "tokenizer_config.json": try JSONReader.read(Array(text.utf8)),
      ]
      try Self.withFolder(files) { folder in
        notes = try TokenizerFile.notes(from: folder, for: try TokenizerFile.load(from: folder))
      }
      return notes
    }
    #expect(try notes(#"{"padding_side": "left", "do_lower_case": true}"#).isEmpty)
    let unknown = try notes(#"{"lower": 1, "image_token": "a"}"#)
    #expect(unknown.count == 1 && unknown[0].contains("lower, which transformers'"))
  }
}
