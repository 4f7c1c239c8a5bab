// "Documents to batches of ids. Knows rank and size only as two integers."

/// A tokenized corpus on disk: one folder with `train.tokens`, `validation.tokens` and
/// `dataset.json`.
///
/// `dataset.json` is written last and repeats the checksums of both shards, so a folder whose parts
/// come from two builds is refused. Opening maps the shards; nothing is read until a loader asks.
public struct Dataset: Sendable {
  /// The folder.
  public let folder: String
  /// What it was built from, and how much came out.
  public let description: DatasetDescription
  /// The tokens to train on.
  public let train: TokenShard
  /// The tokens to evaluate on; empty when the dataset was built without validation.
  public let validation: TokenShard

  static let trainName = "train.tokens"
  static let validationName = "validation.tokens"
  static let descriptionName = "dataset.json"

  /// Opens the dataset in `folder`; with `fingerprint`, refuses one made by another tokenizer.
  ///
  /// Costs a few page reads: ids are checked as loaders copy them, and all of a shard by
  /// `TokenShard.verify()`.
  public init(
    opening folder: String, expecting fingerprint: UInt64? = nil
  ) throws(DatasetError) {
    self.folder = folder
    description = try DatasetDescription(
      reading: FilePaths.join(folder, Self.descriptionName), folder: folder)
    if let fingerprint, description.tokenizer != DatasetDescription.hexadecimal(fingerprint) {
      throw .otherTokenizer(
        folder: folder, found: description.tokenizer,
        expected: DatasetDescription.hexadecimal(fingerprint))
    }
    train = try TokenShard(opening: FilePaths.join(folder, Self.trainName))
    validation = try TokenShard(opening: FilePaths.join(folder, Self.validationName))
    for (shard, expected) in [(train, description.train), (validation, description.validation)]
    where shard.summary != expected
      || DatasetDescription.hexadecimal(shard.fingerprint) != description.tokenizer
    {
      throw .inconsistentShard(
        path: shard.path, reason: "it is not the one that \(Self.descriptionName) describes")
    }
  }
}
