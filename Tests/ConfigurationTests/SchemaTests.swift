import Configuration
import Foundation
import Testing

@Suite struct SchemaTests {
  private func schema() throws -> [KeyDescription] {
    try ConfigurationReader.schema { reader in
      _ = try reader.strings("data.train", help: "Training files.")
      _ = try reader.optionalInteger("layers", in: 2...64, unit: "layers", help: "Depth.")
      _ = try reader.choice("family", of: ["gpt2", "llama"], default: "gpt2", help: "Family.")
      _ = try reader.optionalNumber("clip", in: 0..., unit: "1", help: "Clip.")
      try reader.finish()
    }
  }

  @Test func requiredKeysDoNotThrowInASchema() throws {
    let keys = try schema()
    #expect(keys.map(\.path) == ["data.train", "layers", "family", "clip"])
    #expect(keys.map(\.type) == ["list of texts", "integer", "choice", "number"])
    #expect(keys.map(\.isRequired) == [true, false, false, false])
    #expect(keys.map(\.defaultValue) == [nil, nil, "gpt2", nil])
    #expect(keys.map(\.range) == [nil, "from 2 to 64", "one of gpt2, llama", "at least 0"])
    #expect(keys.map(\.unit) == [nil, "layers", nil, "1"])
  }

  @Test func theTableIsAligned() throws {
    #expect(
      try schema().table(width: 80) == """
        key         type           default   meaning
        data.train  list of texts  required  Training files.
        layers      integer        none      Depth. (from 2 to 64; in layers)
        family      choice         gpt2      Family. (one of gpt2, llama)
        clip        number         none      Clip. (at least 0; no unit)

        """)
  }

  @Test(arguments: [30, 40, 66, 80, 120])
  func theTableFitsItsWidth(width: Int) throws {
    let table = try schema().table(width: width)
    for line in table.split(separator: "\n") { #expect(line.count <= width) }
    for key in try schema() { #expect(table.contains(key.path)) }
  }

  @Test func theJSONDecodesToTheSchema() throws {
    let text = try schema().json()
    let keys = try JSONDecoder().decode([KeyDescription].self, from: Data(text.utf8))
    #expect(keys == (try schema()))
    #expect(text.contains("\"key\" : \"data.train\""))
    #expect(text.contains("\"required\" : true"))
  }
}
