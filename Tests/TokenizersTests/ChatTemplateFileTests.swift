import Files
import Foundation
import Testing

@testable import Tokenizers

struct ChatTemplateFileTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "apus-template-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try body(folder)
  }

  @Test func templateIsSavedWithTheTokenizer() throws {
    for (template, hasMarkers) in ChatEncoderTests.forms {
      try withFolder { folder in
        let tokenizer = try ChatEncoderTests.tokenizer(markersOf: hasMarkers ? template : nil)
        try TokenizerFile.save(tokenizer, toFolder: folder, template: template)
        let loaded = try TokenizerFile.load(from: folder)
        #expect(try TokenizerFile.template(from: folder, for: loaded) == template)
        #expect(
          try TokenizerFile.template(from: "\(folder)/tokenizer.json", for: loaded) == template)
        // The template does not change the ids.
        #expect(
          TokenizerFile.fingerprint(of: loaded) == TokenizerFile.fingerprint(of: tokenizer))
      }
    }
  }

  @Test func savingWithoutATemplateLoadsNone() throws {
    try withFolder { folder in
      try TokenizerFile.save(ByteTokenizer(), toFolder: folder)
      #expect(try TokenizerFile.template(from: folder, for: ByteTokenizer()) == nil)
      try FileManager.default.removeItem(atPath: "\(folder)/tokenizer_config.json")
      #expect(try TokenizerFile.template(from: folder, for: ByteTokenizer()) == nil)
    }
  }

  @Test func chatTemplateFileTakesPrecedenceOverTheConfiguration() throws {
    try withFolder { folder in
      try TokenizerFile.save(ByteTokenizer(), toFolder: folder, template: .plain)
      let jinja = ChatTemplate.chatml.jinja(for: ByteTokenizer())
      try Data(jinja.utf8).write(to: URL(fileURLWithPath: "\(folder)/chat_template.jinja"))
      #expect(try TokenizerFile.template(from: folder, for: ByteTokenizer()) == .chatml)
    }
  }

  @Test func publishedTemplateIsLoadedWithItsSpecialTokens() throws {
    try withFolder { folder in
      let tokenizer = ByteTokenizer()
      let source = "{{ bos_token }}{% for m in messages %}{{ m.content + eos_token }}{% endfor %}"
      let template = ChatTemplate.published(
        try PublishedTemplate(
          source,
          specialTokens: [
            .init(name: "bos_token", text: "<s>"), .init(name: "eos_token", text: "<|endoftext|>"),
          ], path: "here"))
      try TokenizerFile.save(tokenizer, toFolder: folder, template: template)
      let loaded = try #require(try TokenizerFile.template(from: folder, for: tokenizer))
      #expect(loaded == template)
      #expect(loaded.name == "published" && loaded.identity == template.identity)
      let encoder = ChatEncoder(loaded, tokenizer: tokenizer)
      let pieces = try encoder.render([Message(.user, "a"), Message(.assistant, "b")])
      #expect(pieces.map(\.text).joined() == "<s>a<|endoftext|>b<|endoftext|>")
      #expect(pieces.filter(\.isInLoss).map(\.text) == ["b", "<|endoftext|>"])
      // transformers 5 has a separate file for the template. The one of older versions for some tokens
      // counts first, unless the configuration lists the added tokens.
      let newer = "\(folder)/chat_template.jinja"
      try PendingFile.write(Array("{{ eos_token }}{{ pad_token }}".utf8), to: newer)
      let map = JSONValue.object([
        ("pad_token", .object([("content", .string("<pad>"))])), ("eos_token", .string("no")),
      ])
      try PendingFile.write(map.indented, to: "\(folder)/special_tokens_map.json")
      let other = try #require(try TokenizerFile.template(from: folder, for: tokenizer))
      let text = try ChatEncoder(other, tokenizer: tokenizer).render([]).map(\.text).joined()
      #expect(text == "no<pad>")
    }
  }

  @Test func errorNamesTheUnsupportedConstructOfATemplate() throws {
    try withFolder { folder in
      let file = "\(folder)/tokenizer_config.json"
      try TokenizerFile.save(ByteTokenizer(), toFolder: folder)
      let template = JSONValue.string("{% for m in messages %}\n{% include 'x' %}{% endfor %}")
      try PendingFile.write(
        JSONValue.object([("chat_template", template)]).indented, to: file)
      let error = #expect(throws: TokenizerError.self) {
        try TokenizerFile.template(from: folder, for: ByteTokenizer())
      }
      #expect(
        error?.description
          == "\(file) holds a chat template that cannot be used: line 2 of the chat template uses "
          + "the tag 'include', which Apus does not support; name one of chatml, llama3, plain to "
          + "use instead")
    }
  }

  @Test func templateNamedDefaultIsChosenFromAList() throws {
    try withFolder { folder in
      let file = "\(folder)/tokenizer_config.json"
      let plain = JSONValue.string(ChatTemplate.plain.jinja(for: ByteTokenizer()))
      let list = JSONValue.array([
        ["name": "tool_use", "template": "{{ tools | string }}{{ messages[0].content }}"],
        .object([("name", .string("default")), ("template", plain)]),
      ])
      func write(_ value: JSONValue) throws {
        try PendingFile.write(JSONValue.object([("chat_template", value)]).indented, to: file)
      }
      try write(list)
      let chosen = try #require(try TokenizerFile.template(from: folder, for: ByteTokenizer()))
      func text(_ conversation: Conversation) throws -> String {
        let encoder = ChatEncoder(chosen, tokenizer: ByteTokenizer())
        return try encoder.render(conversation).map(\.text).joined()
      }
      #expect(try text([Message(.user, "a")]) == "a\n")
      // As transformers does, the template for tools only with tools.
      #expect(try text(Conversation([Message(.user, "a")], tools: ["x"])) == "['x']a")
      // Both are saved, and read from the files of transformers 5.
      let copy = "\(folder)/copy"
      try TokenizerFile.save(ByteTokenizer(), toFolder: copy, template: chosen)
      let copied = try #require(try TokenizerFile.template(from: copy, for: ByteTokenizer()))
      #expect(copied.identity.hasPrefix(chosen.identity))
      let named = "\(copy)/additional_chat_templates"
      try FileManager.default.createDirectory(atPath: named, withIntermediateDirectories: true)
      try PendingFile.write(Array("{{ messages }}".utf8), to: "\(copy)/chat_template.jinja")
      try PendingFile.write(Array("{{ tools }}".utf8), to: "\(named)/tool_use.jinja")
      let separate = try #require(try TokenizerFile.template(from: copy, for: ByteTokenizer()))
      #expect(separate.identity.hasPrefix("{{ messages }}\n{{ tools }}"))
      try write(.integer(3))
      #expect(
        throws: TokenizerError.invalidField(
          path: file, field: "chat_template", expected: "a string")
      ) { try TokenizerFile.template(from: folder, for: ByteTokenizer()) }
    }
  }
}
