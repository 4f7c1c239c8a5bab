import Files
import Testing

@testable import Tokenizers

/// The files of Goldens/, which generate.py in that folder creates with Hugging Face tokenizers.
enum Goldens {
  static func path(_ name: String) -> String {
    FileSystem.join(FileSystem.join(FileSystem.parent(of: #filePath), "Goldens"), name)
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    try TokenizerFile.contents(of: path(name))
  }

  /// Returns the texts of strings.json with their ids under tokenizer.json.
  static func strings() throws -> [(text: String, ids: [TokenID])] {
    let cases = try #require(try JSONReader.read(bytes("strings.json")).array)
    return try cases.map { value in
      let text = try #require(value["text"]?.string)
      let ids = try #require(value["ids"]?.array)
      return (text, try ids.map { TokenID(try #require($0.integer)) })
    }
  }
}
