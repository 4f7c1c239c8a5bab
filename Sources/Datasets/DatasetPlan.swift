import Tokenizers

/// Where documents come from, as the user names it.
public enum DocumentSource: Sendable {
  /// Files, folders and globs; see `SourceList`.
  case files([String])
  /// Documents made by index from 0, until `count` or the first nil. `name` stands in
  /// `dataset.json` and must change when the documents do.
  case generated(name: String, count: Int, document: @Sendable (Int) -> Document?)
}

/// Where the validation text comes from, as the user names it.
public enum ValidationSource: Sendable {
  /// A share of the training documents; see `ValidationSplit`. 0 for no validation.
  case fraction(Double)
  /// Files, folders and globs of its own.
  case files([String])
}

/// What a dataset is to be built from: the user's words resolved to files that exist.
public struct DatasetPlan: Sendable {
  enum Training: Sendable {
    case files([SourceFile])
    case generated(name: String, count: Int, document: @Sendable (Int) -> Document?)
  }

  enum Validation: Sendable {
    case split(ValidationSplit)
    case files([SourceFile])
  }

  let training: Training
  let validation: Validation
  let textField: String
  /// Files found in folders and left out, because their kind is not supported.
  public let ignored: [String]

  /// Resolves `sources` and `validation` to files.
  ///
  /// Relative paths start at `base` or, when it is empty, at the current folder. `textField` names the field of `.jsonl` lines with the text.
  public init(
    sources: DocumentSource, validation: ValidationSource, relativeTo base: String = "",
    textField: String = "text"
  ) throws(DatasetError) {
    self.textField = textField
    var ignored: [String] = []
    var trainingFiles: [SourceFile] = []
    switch sources {
    case .files(let entries):
      let list = try SourceList(entries, relativeTo: base)
      trainingFiles = list.files
      ignored = list.ignored
      training = .files(list.files)
    case .generated(let name, let count, let document):
      training = .generated(name: name, count: count, document: document)
    }
    switch validation {
    case .fraction(let fraction):
      self.validation = .split(try ValidationSplit(fraction: fraction))
    case .files(let entries):
      let list = try SourceList(entries, relativeTo: base)
      // Validation text that was trained on measures memory, not learning.
      let trained = Set(trainingFiles.map(\.identity))
      if let file = list.files.first(where: { trained.contains($0.identity) }) {
        throw .inBoth(path: file.path)
      }
      ignored += list.ignored
      self.validation = .files(list.files)
    }
    self.ignored = ignored
  }

  /// The dataset in `folder` if it was built from this plan, by the tokenizer of `fingerprint`, and
  /// no source has changed since; nil if it must be built.
  public func existingDataset(
    in folder: String, tokenizer: any Tokenizer, fingerprint: UInt64
  ) -> Dataset? {
    guard let dataset = try? Dataset(opening: folder, expecting: fingerprint),
      dataset.description.hasSameInputs(
        as: description(tokenizer: tokenizer, fingerprint: fingerprint))
    else { return nil }
    return dataset
  }

  /// The description of what is to be built, its results still zero.
  func description(tokenizer: any Tokenizer, fingerprint: UInt64) -> DatasetDescription {
    let nothing = TokenShard.Summary(tokens: 0, documents: 0, textBytes: 0, checksum: 0)
    var description = DatasetDescription(
      tokenizer: DatasetDescription.hexadecimal(fingerprint),
      vocabularySize: tokenizer.vocabularySize, textField: textField, validationFraction: nil,
      sources: [], validationSources: [], train: nothing, validation: nothing)
    switch training {
    case .files(let files): description.sources = files.map(Self.source)
    case .generated(let name, let count, _):
      description.sources = [
        DatasetDescription.Source(
          path: "generated: \(name), \(count) documents", fileBytes: 0, modified: 0)
      ]
    }
    switch validation {
    case .split(let split): description.validationFraction = split.fraction
    case .files(let files): description.validationSources = files.map(Self.source)
    }
    return description
  }

  private static func source(_ file: SourceFile) -> DatasetDescription.Source {
    DatasetDescription.Source(
      path: file.path, fileBytes: file.byteCount, modified: file.modified)
  }
}
