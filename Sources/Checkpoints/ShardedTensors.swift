import Files
import Foundation

/// The tensors of one safetensors file, or of the shards that an index lists.
///
///     model.safetensors                     one file, or
///     model.safetensors.index.json
///       {"weight_map": {"NAME": "model-00001-of-00002.safetensors", …}}
struct ShardedTensors {
  /// The names of the tensors.
  let names: [String]
  /// The paths of the files.
  var paths: [String] { files.map(\.path) }
  /// Size of the files in bytes.
  var byteCount: Int { files.reduce(0) { $0 + $1.byteCount } }
  private let files: [SafeTensorsFile]
  private let places: [String: Int]

  /// Opens the file `name` in `folder`; without one, all shards that its index lists.
  ///
  /// - Throws: `CheckpointError` if both are missing, if the index lists a file outside the folder,
  ///   or if a file lacks a tensor that the index lists.
  init(folder: String, name: String) throws {
    let index = "\(folder)/\(name).index.json"
    let isOne = try FileSystem.exists("\(folder)/\(name)")
    guard try isOne || FileSystem.exists(index) else {
      throw CheckpointError.noModel(path: folder, reason: "it has no \(name)")
    }
    if isOne {
      let file = try SafeTensorsFile(path: "\(folder)/\(name)")
      (names, files, places) = (file.names, [file], [:])
      return
    }
    let map = try Self.map(in: index)
    let shards = Set(map.values).sorted()
    if let stray = shards.first(where: { $0.contains("/") || $0.hasPrefix(".") }) {
      throw CheckpointError.badSafeTensors(
        path: index, reason: "it names \(stray), which is not a file of this folder")
    }
    let files = try shards.map { name in
      guard try FileSystem.kind(of: "\(folder)/\(name)") != nil else {
        throw CheckpointError.badSafeTensors(
          path: index, reason: "it names \(name), which does not exist")
      }
      return try SafeTensorsFile(path: "\(folder)/\(name)")
    }
    let held = files.map { Set($0.names) }
    var places: [String: Int] = [:]
    for (name, shard) in map.sorted(by: { $0.key < $1.key }) {
      guard let place = shards.firstIndex(of: shard), held[place].contains(name) else {
        throw CheckpointError.badSafeTensors(
          path: index, reason: "it lists \(name) in \(shard), which does not hold it")
      }
      places[name] = place
    }
    names = places.keys.sorted()
    self.files = files
    self.places = places
  }

  /// Returns the tensor of this name; its bytes are valid as long as the files are open.
  func tensor(named name: String) throws(CheckpointError) -> SafeTensor {
    try files[places[name] ?? 0].tensor(named: name)
  }

  /// Reads the map from tensor names to files in the index at `path`.
  private static func map(in path: String) throws -> [String: String] {
    let bytes = try InputFile.contents(of: path, limit: SafeTensorsHeader.maximumLength)
    if let index = try? JSONDecoder().decode(Index.self, from: Data(bytes)) { return index.map }
    throw CheckpointError.badSafeTensors(
      path: path, reason: "it has no weight_map from names to files")
  }

  /// Hugging Face's index of shards.
  private struct Index: Decodable {
    let map: [String: String]

    enum CodingKeys: String, CodingKey {
      case map = "weight_map"
    }
  }
}
