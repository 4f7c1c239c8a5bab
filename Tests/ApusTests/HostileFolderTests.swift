import Foundation
import Testing

/// Malicious model folders: one sentence, exit code 2, and no more memory than the sizes of the
/// files justify.
@Suite(.serialized) struct HostileFolderTests {
  /// A change of a file in the folder `model`; a nil result removes the file.
  private struct Case {
    let name: String
    var file = "model.safetensors"
    var words: [String] = ["model.safetensors"]
    let change: (Data) throws -> Data?
  }

  /// The description of a tensor in a safetensors header.
  private static func tensor(_ dtype: String, _ shape: String, _ offsets: String) -> String {
    #"{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}"#
  }

  /// A safetensors file with this header and `size` bytes of data after it.
  private static func file(_ header: String, size: Int = 0, announcing length: UInt64? = nil)
    -> Data
  {
    let length = length ?? UInt64(header.utf8.count)
    return Data((0..<8).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) }) + Data(header.utf8)
      + Data(count: size)
  }

  private var weights: [Case] {
    let one = Self.tensor("F32", "[1]", "[0,4]")
    return [
      Case(name: "cut", words: ["model.safetensors", "hold"]) { $0.dropLast(100) },
      Case(name: "five bytes", words: ["too few"]) { $0.prefix(5) },
      Case(name: "empty", words: ["too few"]) { _ in Data() },
      Case(name: "one byte more", words: ["file holds"]) { $0 + [0] },
      Case(name: "header behind the end", words: ["announces a header"]) { _ in
        Self.file("{}", announcing: 4096)
      },
      Case(name: "header of 2⁶³ bytes", words: ["announces a header"]) { _ in
        Self.file("{}", announcing: 1 << 63)
      },
      Case(name: "no header", words: ["does not start with {"]) { _ in
        Self.file("not JSON")
      },
      Case(name: "data behind the end", words: ["take 1048576 bytes"]) { _ in
        Self.file(#"{"a":\#(Self.tensor("F32", "[262144]", "[0,1048576]"))}"#, size: 4)
      },
      Case(name: "a petabyte", words: ["take 4503599627370496 bytes"]) { _ in
        Self.file(#"{"a":\#(Self.tensor("U8", "[4503599627370496]", "[0,4503599627370496]"))}"#)
      },
      Case(name: "product of a shape that overflows", words: ["does not fill"]) { _ in
        Self.file(#"{"a":\#(Self.tensor("F32", "[4611686018427387904,4]", "[0,0]"))}"#)
      },
      Case(name: "type and size disagree", words: ["does not fill its 4 bytes"]) { _ in
        Self.file(#"{"a":\#(Self.tensor("F64", "[1]", "[0,4]"))}"#, size: 4)
      },
      Case(name: "unknown type", words: ["unknown dtype F8"]) { _ in
        Self.file(#"{"a":\#(Self.tensor("F8", "[4]", "[0,4]"))}"#, size: 4)
      },
      Case(name: "overlap", words: ["overlaps"]) { _ in
        Self.file(#"{"a":\#(one),"b":\#(Self.tensor("F32", "[1]", "[2,6]"))}"#, size: 6)
      },
      Case(name: "hole", words: ["leaves a hole"]) { _ in
        Self.file(#"{"a":\#(one),"b":\#(Self.tensor("F32", "[1]", "[8,12]"))}"#, size: 12)
      },
      Case(name: "one name twice", words: ["appears twice"]) { _ in
        Self.file(#"{"a":\#(one),"a":\#(one)}"#, size: 4)
      },
      Case(name: "negative size", words: ["whole number"]) { _ in
        Self.file(#"{"a":\#(Self.tensor("F32", "[-1]", "[0,4]"))}"#, size: 4)
      },
      Case(name: "negative offset", words: ["whole number"]) { _ in
        Self.file(#"{"a":\#(Self.tensor("F32", "[1]", "[-4,0]"))}"#, size: 4)
      },
      Case(name: "offsets backwards", words: ["impossible data_offsets"]) { _ in
        Self.file(#"{"a":\#(Self.tensor("F32", "[1]", "[4,0]"))}"#, size: 4)
      },
      Case(name: "nested deeply", words: ["expected"]) { _ in
        Self.file(String(repeating: #"{"a":"#, count: 200_000))
      },
      Case(name: "many dimensions", words: ["100001 dimensions"]) { _ in
        let sizes = "[" + String(repeating: "2,", count: 100_000) + "2]"
        return Self.file(#"{"a":\#(Self.tensor("F32", sizes, "[0,4]"))}"#, size: 4)
      },
      Case(name: "huge header of names", words: ["overlaps"]) { _ in
        let empty = Self.tensor("F32", "[1]", "[0,4]")
        let names = (0..<50_000).map { #""a\#($0)":\#(empty)"# }.joined(separator: ",")
        return Self.file("{\(names)}", size: 4)
      },
      Case(name: "absent", words: ["holds no model", "it has no model.safetensors"]) { _ in nil },
      Case(name: "no tensor of the model", words: ["transformer.wte.weight is missing"]) { _ in
        Self.file(#"{"a":\#(one)}"#, size: 4)
      },
    ]
  }

  /// Returns a change of one key of a JSON object.
  private static func changing(_ key: String, to value: Any?) -> (Data) throws -> Data? {
    { data in
      var json = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
      json[key] = value
      return try JSONSerialization.data(withJSONObject: json)
    }
  }

  private var configurations: [Case] {
    let file = "config.json"
    return [
      Case(
        name: "another family", file: file,
        words: ["model_type mamba", "gpt2", "llama", "mistral", "qwen2", "qwen3"],
        change: Self.changing("model_type", to: "mamba")),
      Case(
        name: "no family", file: file, words: ["model_type is missing"],
        change: Self.changing("model_type", to: nil)),
      Case(
        name: "vocabulary and weights disagree", file: file,
        words: ["transformer.wte.weight is F32 [257, 16], not F32 [300, 16]"],
        change: Self.changing("vocab_size", to: 300)),
      Case(
        name: "fewer ids than the tokenizer", file: file,
        words: ["the tokenizer in model has 257 ids", "vocabulary has 200"]
      ) { data in
        let ends = try Self.changing("eos_token_id", to: 0)(data) ?? Data()
        return try Self.changing("vocab_size", to: 200)(ends)
      },
      Case(
        name: "more memory than there is", file: file,
        words: ["not F32 [4194304, 131072]"]
      ) { data in
        var json = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
        json["n_embd"] = 131072
        json["vocab_size"] = 4_194_304
        json["n_layer"] = 64
        return try JSONSerialization.data(withJSONObject: json)
      },
      Case(
        name: "beyond all limits", file: file, words: ["n_layer is 1000000000"],
        change: Self.changing("n_layer", to: 1_000_000_000)),
      Case(
        name: "negative", file: file, words: ["n_embd is -16"],
        change: Self.changing("n_embd", to: -16)),
      Case(name: "no JSON", file: file, words: ["not valid JSON"]) { _ in Data("{".utf8) },
      Case(name: "nested deeply", file: file, words: ["not valid JSON"]) { _ in
        Data(String(repeating: "[", count: 200_000).utf8)
      },
    ]
  }

  private var tokenizers: [Case] {
    let file = "tokenizer.json"
    func part(_ name: String, _ json: String) -> (Data) throws -> Data? {
      { data in
        var root = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
        root[name] = try JSONSerialization.jsonObject(with: Data(json.utf8))
        return try JSONSerialization.data(withJSONObject: root)
      }
    }
    return [
      Case(
        name: "unknown pre-tokenizer", file: file, words: ["pre_tokenizer", "Sorcery"],
        change: part("pre_tokenizer", #"{"type":"Sorcery"}"#)),
      Case(
        name: "unknown normalizer", file: file, words: ["normalizer", "Sorcery"],
        change: part("normalizer", #"{"type":"Sequence","normalizers":[{"type":"Sorcery"}]}"#)),
      Case(
        name: "unknown model", file: file, words: ["model", "Sorcery"],
        change: part("model", #"{"type":"Sorcery","vocab":{}}"#)),
      Case(
        name: "unknown decoder", file: file, words: ["decoder", "Sorcery"],
        change: part("decoder", #"{"type":"Sorcery"}"#)),
      Case(
        name: "unknown post-processor", file: file, words: ["post_processor", "Sorcery"],
        change: part("post_processor", #"{"type":"Sorcery"}"#)),
      Case(name: "cut", file: file, words: ["tokenizer.json:", "not valid JSON"]) {
        $0.prefix($0.count / 2)
      },
      Case(name: "nested deeply", file: file, words: ["nested too deeply"]) { _ in
        Data(String(repeating: "[", count: 200_000).utf8)
      },
      Case(name: "absent", file: file, words: ["model holds no tokenizer"]) { _ in nil },
    ]
  }

  /// Runs `apus` with 4 GiB of address space.
  private func run(_ arguments: [String], in program: Program) throws -> Program.Result {
    let (process, output, errors) = try program.start(
      "/bin/bash",
      ["-c", #"ulimit -v 4194304; exec "$0" "$@""#, Program.executable] + arguments)
    return Program.finish(process, output, errors)
  }

  private func expectSentences(
    _ cases: [Case], commands: [[String]], _ program: Program
  ) throws {
    for hostile in cases {
      let path = "model/\(hostile.file)"
      let whole = try #require(program.read(path))
      if let changed = try hostile.change(whole) {
        try program.write(changed, to: path)
      } else {
        try FileManager.default.removeItem(atPath: "\(program.folder)/\(path)")
      }
      let before = try program.contents()
      for arguments in commands {
        let result = try run(arguments, in: program)
        #expect(result.code == 2, "\(hostile.name), \(arguments): \(result)")
        #expect(result.output.isEmpty, "\(hostile.name): \(result.output)")
        for word in hostile.words {
          #expect(result.errors.contains(word), "\(hostile.name): \(result.errors)")
        }
        #expect(
          result.errors.split(separator: "\n").count == 1, "\(hostile.name): \(result.errors)")
        #expect(try program.contents() == before, "\(hostile.name)")
      }
      try program.write(whole, to: path)
    }
  }

  private static let commands = [
    ["generate", "model", "Say", "--tokens", "1"], ["export", "model", "--output", "out"],
  ]

  @Test func everyInvalidFileFailsWithOneSentence() throws {
    try Program.withModel { program in
      #expect(try program.run(["export", "base", "--output", "model"]).code == 0)
      // The limit is large enough for the valid model.
      #expect(try run(Self.commands[0], in: program).code == 0)
      try expectSentences(weights, commands: Self.commands, program)
      try expectSentences(
        weights + configurations + tokenizers, commands: [["model", "inspect", "model"]], program)
      try expectSentences(configurations + tokenizers, commands: [Self.commands[0]], program)
    }
  }

  /// Indexes that name files that do not exist, lie outside the folder, or hold other tensors.
  @Test func everyInvalidIndexFailsWithOneSentence() throws {
    try Program.withModel { program in
      #expect(try program.run(["export", "base", "--output", "model"]).code == 0)
      let weights = "\(program.folder)/model/model.safetensors"
      try FileManager.default.copyItem(
        atPath: weights, toPath: "\(program.folder)/elsewhere.safetensors")
      try FileManager.default.moveItem(
        atPath: weights, toPath: "\(program.folder)/model/a.safetensors")
      let index = "model.safetensors.index.json"
      let map = { (file: String) in #"{"weight_map":{"transformer.wte.weight":"\#(file)"}}"# }
      for (text, words) in [
        (map("b.safetensors"), ["names b.safetensors, which does not exist"]),
        (map("../elsewhere.safetensors"), ["not a file of this folder"]),
        (map("/etc/hostname"), ["not a file of this folder"]),
        (map("."), ["not a file of this folder"]), (map(".."), ["not a file of this folder"]),
        (map(""), ["is not a regular file"]), (map("tokenizer.json"), ["tokenizer.json"]),
        (#"{"weight_map":{"x":"a.safetensors"}}"#, ["lists x in a.safetensors"]),
        (map("a.safetensors"), ["transformer.wpe.weight is missing"]),
        ("{}", ["no weight_map"]), ("", ["no weight_map"]),
        (#"{"weight_map":[1]}"#, ["no weight_map"]),
        (String(repeating: #"{"weight_map":"#, count: 100_000), ["no weight_map"]),
      ] {
        try program.write(text, to: "model/\(index)")
        let result = try run(["generate", "model", "Say", "--tokens", "1"], in: program)
        #expect(result.code == 2 && result.output.isEmpty, "\(text.prefix(80)): \(result)")
        for word in words { #expect(result.errors.contains(word), "\(result.errors)") }
        #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
      }
    }
  }

  /// A chat template with an unsupported construct is refused with the construct's name, and only
  /// by commands that need the template.
  @Test func anUnsupportedChatTemplateFailsWithOneSentence() throws {
    try Program.withModel { program in
      #expect(try program.run(["export", "base", "--output", "model"]).code == 0)
      for (template, words) in [
        ("{% include 'x' %}", ["chat template", "include"]),
        ("{{ messages | sorcery }}", ["chat template", "sorcery"]),
        ("{% for m in messages %}", ["chat template"]),
        (String(repeating: "{% if a %}", count: 100_000), ["chat template"]),
      ] {
        try program.write(template, to: "model/chat_template.jinja")
        let result = try run(
          ["generate", "model", "Say", "--chat", "--tokens", "1"], in: program)
        #expect(result.code == 2 && result.output.isEmpty, "\(result)")
        for word in words { #expect(result.errors.contains(word), "\(result.errors)") }
        #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
      }
    }
  }
}
