// "Documents to batches of ids. Knows rank and size only as two integers."

import Files
import Tokenizers

/// A tokenized corpus on disk: one folder with `train.tokens`, `validation.tokens` and
/// `dataset.json`.
///
/// `dataset.json` is written last and repeats the checksums of both shards, so a folder with parts of
/// two builds is refused. Opening maps the shards; tokens are read only when a loader asks for them.
package struct Dataset: Sendable {
  package let folder: String
  /// The sources and settings of the build, with its counts.
  package let description: DatasetDescription
  /// The tokens to train on.
  package let train: TokenShard
  /// The tokens to evaluate on; empty when the dataset was built without validation.
  package let validation: TokenShard

  static let trainName = "train.tokens"
  static let validationName = "validation.tokens"
  static let descriptionName = "dataset.json"

  /// Opens the dataset in `folder`; with `fingerprint`, refuses a dataset of another tokenizer.
  ///
  /// Costs a few page reads; `verify()` checks the contents of the shards.
  package init(
    opening folder: String, expecting fingerprint: UInt64? = nil
  ) throws(DatasetError) {
    self.folder = folder
    description = try DatasetDescription(
      reading: FilePaths.join(folder, Self.descriptionName), folder: folder)
    if let fingerprint, description.tokenizer != fingerprint.hexadecimal(width: 16) {
      throw .otherTokenizer(
        folder: folder, found: description.tokenizer,
        expected: fingerprint.hexadecimal(width: 16))
    }
    train = try TokenShard(opening: FilePaths.join(folder, Self.trainName))
    validation = try TokenShard(opening: FilePaths.join(folder, Self.validationName))
    for (shard, expected) in [(train, description.train), (validation, description.validation)]
    where shard.summary != expected
      || shard.fingerprint.hexadecimal(width: 16) != description.tokenizer
    {
      throw .inconsistentShard(
        path: shard.path, reason: "it is not the one that \(Self.descriptionName) describes")
    }
  }

  /// Returns the fingerprint of `tokenizer` that the datasets made with it have.
  package static func fingerprint(of tokenizer: any Tokenizer) -> UInt64 {
    FNV1a(TokenizerFile.fingerprint(of: tokenizer)).value
  }

  /// Returns true when `tokenizer` made this dataset.
  package func isMade(with tokenizer: any Tokenizer) -> Bool {
    description.tokenizer == Self.fingerprint(of: tokenizer).hexadecimal(width: 16)
  }

  /// Reads both shards once and checks their contents; see `TokenShard.verify()`.
  package func verify() throws(DatasetError) {
    try train.verify()
    try validation.verify()
  }
}
