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

  @Test func theTemplateIsKeptWithTheTokenizer() throws {
    for (template, hasMarkers) in ChatEncoderTests.forms {
      try withFolder { folder in
        let tokenizer = try ChatEncoderTests.tokenizer(markersOf: hasMarkers ? template : nil)
        try TokenizerFile.save(tokenizer, toFolder: folder, template: template)
        let loaded = try TokenizerFile.load(from: folder)
        #expect(try TokenizerFile.template(from: folder, for: loaded) == template)
        #expect(
          try TokenizerFile.template(from: "\(folder)/tokenizer.json", for: loaded) == template)
        // The ids are those of the tokenizer without it.
        #expect(
          TokenizerFile.fingerprint(of: loaded) == TokenizerFile.fingerprint(of: tokenizer))
      }
    }
  }

  @Test func withoutATemplateThereIsNone() throws {
    try withFolder { folder in
      try TokenizerFile.save(ByteTokenizer(), toFolder: folder)
      #expect(try TokenizerFile.template(from: folder, for: ByteTokenizer()) == nil)
      try FileManager.default.removeItem(atPath: "\(folder)/tokenizer_config.json")
      #expect(try TokenizerFile.template(from: folder, for: ByteTokenizer()) == nil)
    }
  }

  @Test func theFileOfTransformers5GoesFirst() throws {
    try withFolder { folder in
      try TokenizerFile.save(ByteTokenizer(), toFolder: folder, template: .plain)
      let jinja = ChatTemplate.chatml.jinja(for: ByteTokenizer())
      try Data(jinja.utf8).write(to: URL(fileURLWithPath: "\(folder)/chat_template.jinja"))
      #expect(try TokenizerFile.template(from: folder, for: ByteTokenizer()) == .chatml)
    }
  }

  @Test func anotherTemplateIsRefusedByName() throws {
    try withFolder { folder in
      try TokenizerFile.save(ByteTokenizer(), toFolder: folder, template: .chatml)
      let file = "\(folder)/tokenizer_config.json"
      let text = try String(contentsOfFile: file, encoding: .utf8)
      // One character more, and it is not ours any longer.
      let other = text.replacingOccurrences(of: "+ '\\\\n' }}{% endfor", with: "+ ' ' }}{% endfor")
      #expect(other != text)
      try Data(other.utf8).write(to: URL(fileURLWithPath: file))
      let error = #expect(throws: TokenizerError.self) {
        try TokenizerFile.template(from: folder, for: ByteTokenizer())
      }
      #expect(
        error?.description
          == "\(file) holds a chat template that is not built in (it begins "
          + "\"{% for message in messages %}{{ '<|im_st\") and published templates come later; "
          + "name one of chatml, llama3, plain to use instead")
      // The tokenizer itself is of use all the same.
      #expect(try TokenizerFile.load(from: folder) is ByteTokenizer)
    }
  }

  @Test func aTemplateOfSeveralIsThatNamedDefault() throws {
    try withFolder { folder in
      let file = "\(folder)/tokenizer_config.json"
      let plain = JSONElement.string(ChatTemplate.plain.jinja(for: ByteTokenizer()))
      let list = JSONElement.array([
        .object([("name", .string("tool_use")), ("template", .string("{{ tools }}"))]),
        .object([("name", .string("default")), ("template", plain)]),
      ])
      func write(_ value: JSONElement) throws {
        try FileBytes.write(JSONElement.object([("chat_template", value)]).serialized(), to: file)
      }
      try write(list)
      #expect(try TokenizerFile.template(from: folder, for: ByteTokenizer()) == .plain)
      try write(.integer(3))
      #expect(
        throws: TokenizerError.invalidField(path: file, field: "chat_template", expected: "a text")
      ) { try TokenizerFile.template(from: folder, for: ByteTokenizer()) }
    }
  }
}
