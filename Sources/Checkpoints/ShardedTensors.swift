import Foundation

/// The tensors of one safetensors file, or of the several that its index names.
///
///     model.safetensors                     one file, or
///     model.safetensors.index.json          {"weight_map": {"NAME": "model-00001-of-00002.safetensors", …}}
struct ShardedTensors {
  /// The names of the tensors.
  let names: [String]
  /// Where the files are.
  var paths: [String] { files.map(\.path) }
  private let files: [SafeTensorsFile]
  private let places: [String: Int]

  /// Opens the file `name` in `folder`, or, where there is none, all that its index names.
  ///
  /// - Throws: Also where the index names a file outside the folder, or a tensor that its file lacks.
  init(folder: String, name: String) throws {
    let index = "\(folder)/\(name).index.json"
    guard try !FileSystem.exists("\(folder)/\(name)"), try FileSystem.exists(index) else {
      let file = try SafeTensorsFile(path: "\(folder)/\(name)")
      (names, files, places) = (file.names, [file], [:])
      return
    }
    guard let data = FileManager.default.contents(atPath: index),
      let map = (try? JSONDecoder().decode(Index.self, from: data))?.map
    else {
      throw CheckpointError.badSafeTensors(
        path: index, reason: "it has no weight_map from names to files")
    }
    let shards = Set(map.values).sorted()
    if let stray = shards.first(where: { $0.contains("/") || $0.hasPrefix(".") }) {
      throw CheckpointError.badSafeTensors(
        path: index, reason: "it names \(stray), which is no file of this folder")
    }
    let files = try shards.map { try SafeTensorsFile(path: "\(folder)/\($0)") }
    let held = files.map { Set($0.names) }
    var places: [String: Int] = [:]
    for (name, shard) in map {
      guard let place = shards.firstIndex(of: shard), held[place].contains(name) else {
        throw CheckpointError.badSafeTensors(
          path: index, reason: "it says that \(shard) holds \(name), which it does not")
      }
      places[name] = place
    }
    names = places.keys.sorted()
    self.files = files
    self.places = places
  }

  /// The tensor of this name, which lives as long as the files do.
  func tensor(named name: String) throws(CheckpointError) -> SafeTensor {
    try files[places[name] ?? 0].tensor(named: name)
  }

  /// Hugging Face's index of shards.
  private struct Index: Decodable {
    let map: [String: String]

    enum CodingKeys: String, CodingKey {
      case map = "weight_map"
    }
  }
}
