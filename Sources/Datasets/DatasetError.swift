import Files
import Glibc
import Tokenizers

/// An error in a corpus, in a dataset on disk, or of the disk.
package enum DatasetError: Error, Equatable, Sendable {

  // Finding the sources.

  /// An empty list of sources.
  case noSources
  /// A path that does not exist.
  case missing(path: String)
  /// A glob without a match.
  case noMatch(pattern: String, folder: String)
  /// A folder without a file of a supported kind.
  case emptyFolder(path: String, supported: String = SourceFile.Contents.documents.supported)
  /// A file of a kind that is not supported.
  case unsupportedKind(path: String, supported: String = SourceFile.Contents.documents.supported)
  /// A device, a socket or the like.
  case notAFile(path: String)
  /// A folder with an entry whose name is not UTF-8.
  case nameNotUTF8(folder: String)
  /// A file or folder that cannot be opened; `code` is `errno`.
  case unreadable(path: String, code: Int32)
  /// A file named for training and for validation.
  case inBoth(path: String)

  // Reading them. Offsets count bytes from 0, after inflation; lines count from 1.

  /// A file without text.
  case emptyFile(path: String)
  /// A file with a NUL byte.
  case binary(path: String, offset: Int)
  /// A file that is not UTF-8.
  case notUTF8(path: String, offset: Int)
  /// A line that is not a JSON object.
  case brokenJSON(path: String, line: Int, reason: String)
  /// A line without the requested field; `found` lists the fields that it has.
  case missingField(path: String, line: Int, field: String, found: [String])
  /// A line whose field does not hold a string.
  case fieldNotText(path: String, line: Int, field: String, found: String)
  /// A `.gz` that is not gzip.
  case notGzip(path: String)
  /// A `.gz` cut short.
  case truncatedGzip(path: String)
  /// A `.gz` that zlib cannot inflate.
  case damagedGzip(path: String, reason: String)
  /// A record that cannot be used, with its place.
  case badRecord(RecordDefect, at: RecordPlace)
  /// A name under `data.fields` that is no field of a record; `known` lists those that are.
  case unknownField(String, known: [String])
  /// A table with two columns of one name.
  case repeatedColumn(path: String, line: Int, name: String)
  /// A field that `data.fields` names and no record has.
  case unusedMappedField(String, for: String, found: [String])
  /// Files without a usable record, with the records that were left out.
  case noRecords(skipped: SkippedRecords)
  /// Examples that are all longer than the context.
  case allTooLong(examples: Int, context: Int)
  /// Examples whose loss mask cannot train a model that answers.
  case invalidLossMask(LossMaskDefect)
  /// Labels of one class only.
  case oneClass(String)
  /// Classes given by the user, of which there is one only.
  case oneClassGiven(String)
  /// Labels of one class only among the training records; the held-out ones have another.
  case oneClassToTrain(String, heldOut: String)
  /// A document over the limit of `limit` bytes; `line` is nil for a file that is one document.
  case documentTooLarge(path: String, line: Int?, limit: Int)

  // Splitting.

  /// A validation fraction outside [0, 1).
  case invalidFraction(Double)
  /// A split that leaves no training text.
  case noTrainingText
  /// A split that holds out no validation text.
  case noValidationText(documents: Int, fraction: Double)

  /// Records that all have one prompt, of which a fraction cannot be held out.
  case oneSide(records: Int, fraction: Double)

  // Datasets on disk.

  /// A folder without a dataset.
  case noDataset(folder: String)
  /// A `dataset.json` that cannot be decoded.
  case brokenDescription(path: String, reason: String)
  /// A dataset of another tokenizer; both fingerprints in hexadecimal.
  case otherTokenizer(folder: String, found: String, expected: String)
  /// A file that is not a token shard.
  case notAShard(path: String)
  /// A shard of a version that this program does not read.
  case unknownVersion(path: String, found: Int, known: Int)
  /// A shard cut short.
  case truncatedShard(path: String, bytes: Int, expected: Int)
  /// A token shard whose `part` (header or content) does not have its recorded checksum.
  case damagedShard(path: String, part: String, checksum: UInt32, recorded: UInt32)
  /// A shard whose parts contradict each other.
  case inconsistentShard(path: String, reason: String)
  /// An id outside the shard's own vocabulary.
  case unknownToken(path: String, position: Int, id: UInt32, vocabularySize: Int)
  /// An id outside the vocabulary of the tokenizer that decodes it.
  case foreignToken(id: TokenID, vocabularySize: Int)

  // Loading.

  /// Fewer tokens than one window of `context` + 1.
  case corpusTooShort(tokens: Int, context: Int, use: TextUse = .training)
  /// A validation set without tokens.
  case nothingToEvaluate

  // The disk.

  /// A failure of the disk, not of the input: exit code 5 instead of 2.
  case storage(StorageError)

  /// True when a single record is invalid, though of the expected kind: a reader can leave it out and
  /// use the others.
  package var isBadRecord: Bool {
    if case .badRecord(let defect, _) = self, !defect.isWrongKind { true } else { false }
  }

  /// True when the error concerns one record or one line of text, and the others can be used without it.
  var concernsOneRecord: Bool {
    switch self {
    case .badRecord, .notUTF8, .binary, .brokenJSON, .missingField, .fieldNotText: true
    default: false
    }
  }
}

extension DatasetError: StorageErrorConvertible {
  /// A file that does not open is the input's fault, unless the disk reports an error of its own.
  package init(_ failure: StorageError) {
    switch failure {
    case .call("open", let path, ENOENT), .call("open", let path, ENOTDIR):
      self = .missing(path: path)
    case .call("open", let path, let code) where code != EIO && code != ESTALE:
      self = .unreadable(path: path, code: code)
    case .notAFile(let path), .call("read", let path, EISDIR): self = .notAFile(path: path)
    default: self = .storage(failure)
    }
  }
}

extension DatasetError: CustomStringConvertible {
  /// The error in one sentence: what, where, why, what to do.
  package var description: String {
    switch self {
    case .noSources:
      "no text was named to train on; list files, folders or globs under data.train"
    case .missing(let path):
      "there is no file or folder \(path); correct the path, which starts at the current folder "
        + "unless it begins with /"
    case .noMatch(let pattern, let folder):
      "no file matches \(pattern) in \(folder.isEmpty ? "the current folder" : folder); correct "
        + "the pattern (*, ? and [...] stay within a folder, ** crosses folders)"
    case .emptyFolder(let path, let supported):
      "the folder \(path) holds no \(supported) file; put the corpus there or name another folder"
    case .unsupportedKind(let path, let supported):
      "\(path) is of a kind that cannot be read; convert it to \(supported)"
    case .notAFile(let path):
      "\(path) is neither a file nor a folder; name a regular file"
    case .nameNotUTF8(let folder):
      "the folder \(folder) holds a name that is not UTF-8; rename or move that file"
    case .unreadable(let path, let code):
      "cannot read \(path): \(StorageError.reason(code)); check its permissions"
    case .inBoth(let path):
      "\(path) is named for training and for validation; name it in one of the two only"
    case .emptyFile(let path):
      "\(path) holds no text; fill it or remove it from the list"
    case .binary(let path, let offset):
      "\(path) is not text (a NUL byte at byte \(offset)); convert it to UTF-8 text or remove it "
        + "from the list"
    case .notUTF8(let path, let offset):
      "\(path) is not UTF-8 at byte \(offset); convert it, for example with iconv -f ISO-8859-1 "
        + "-t UTF-8, or remove it from the list"
    case .brokenJSON(let path, let line, let reason):
      "\(path):\(line) is not a JSON object (\(reason)); each line must be one whole object"
    case .missingField(let path, let line, let field, let found):
      "\(path):\(line) has no field \"\(field)\" (found: \(RecordFormat.list(found))); name the "
        + "field that holds the text"
    case .fieldNotText(let path, let line, let field, let found):
      "\(path):\(line) has \(found) in its field \"\(field)\" where a string is needed; correct "
        + "the line or name another field"
    case .notGzip(let path):
      "\(path) ends in .gz and is not gzip data; rename it, or compress it with gzip"
    case .truncatedGzip(let path):
      "\(path) ends in the middle of its gzip data; copy or download it again"
    case .damagedGzip(let path, let reason):
      "\(path) holds damaged gzip data (\(reason)); copy or download it again"
    case .badRecord(let defect, let place):
      "\(place) \(defect)"
    case .unknownField(let field, let known):
      "no record has a field \"\(field)\" to be read under another name; name one of "
        + known.joined(separator: ", ")
    case .unusedMappedField(let name, let known, let found):
      "no record has a field \"\(name)\", which data.fields names for \"\(known)\" (found: "
        + "\(RecordFormat.list(found))); correct the name or leave it out"
    case .repeatedColumn(let path, let line, let name):
      "\(path):\(line) names two columns \"\(name)\"; rename one of them"
    case .noRecords(let skipped):
      "no record is left to use"
        + (skipped.first.first.map { ", \(skipped.count, "was", "were") left out: \($0)" }
          ?? "; name files with records")
    case .allTooLong(let examples, let context):
      "\(examples == 1 ? "the only example is" : "all \(examples) examples are") longer than the "
        + "context of \(context), so none is left; raise the context or shorten them"
    case .invalidLossMask(let defect):
      "the loss mask \(defect)"
    case .oneClass(let name):
      "every label is \"\(name)\", and a classifier needs two classes; add records of another class"
    case .oneClassGiven(let name):
      "\"\(name)\" is the only class in data.classes, and a classifier needs two; name another, or "
        + "leave data.classes out"
    case .oneClassToTrain(let name, let heldOut):
      "every label to train on is \"\(name)\", since all records with \"\(heldOut)\" are held out for "
        + "validation, where those of one text stay together; add records with other texts, or name "
        + "validation files in data.validation"
    case .documentTooLarge(let path, let line, let limit):
      "\(path)\(line.map { ":\($0)" } ?? "") holds a document or record of more than "
        + "\(limit) bytes; split it into several"
    case .invalidFraction(let fraction):
      "a validation fraction of \(fraction) is not possible; give a number from 0 to below 1"
    case .noTrainingText:
      "no text is left to train on; add documents or lower the validation fraction"
    case .noValidationText(let documents, let fraction):
      "a validation fraction of \(fraction) holds out none of "
        + "\(documents, "document"); add some, raise the fraction, set it to 0, or name "
        + "validation files"
    case .oneSide(let records, let fraction):
      "a validation fraction of \(fraction) cannot hold out a part of "
        + (records == 1 ? "1 record" : "\(records) records with one prompt, which stay together")
        + "; add records with other prompts, set data.validation to 0, or name validation files"
    case .noDataset(let folder):
      "there is no dataset in \(folder) (no \(Dataset.descriptionName)); build it with apus data"
    case .brokenDescription(let path, let reason):
      "\(path) cannot be decoded (\(reason)); delete the folder and build the dataset again"
    case .otherTokenizer(let folder, let found, let expected):
      "the dataset in \(folder) was made with the tokenizer \(found) and this run uses "
        + "\(expected); build it again with this tokenizer"
    case .notAShard(let path):
      "\(path) is not a token shard; name a dataset built with apus data"
    case .unknownVersion(let path, let found, let known):
      "\(path) is a token shard of version \(found) and this program reads version \(known); build "
        + "the dataset again or use the program that made it"
    case .truncatedShard(let path, let bytes, let expected):
      "\(path) has \(bytes) of its \(expected) bytes; copy it again or build the dataset again"
    case .damagedShard(let path, let part, let checksum, let recorded):
      "\(path) is damaged (the checksum of its \(part) is \(checksum.hexadecimal(width: 8)) where "
        + "\(recorded.hexadecimal(width: 8)) is recorded); copy it again or build the dataset again"
    case .inconsistentShard(let path, let reason):
      "\(path) is inconsistent (\(reason)); build the dataset again"
    case .unknownToken(let path, let position, let id, let vocabularySize):
      "\(path) holds the id \(id) at token \(position), outside its vocabulary of "
        + "\(vocabularySize); build the dataset again"
    case .foreignToken(let id, let vocabularySize):
      "the dataset holds the id \(id), outside this tokenizer's \(vocabularySize) ids; use the "
        + "tokenizer that made the dataset"
    case .corpusTooShort(let tokens, let context, let use):
      "the \(use.rawValue) text has \(tokens, "token") and one window needs \(context + 1); "
        + "\(use.remedy), or lower model.context"
    case .nothingToEvaluate:
      "there is no validation text to evaluate on; build the dataset with a validation fraction or "
        + "with validation files"
    case .storage(.call(let operation, let path, let code)):
      "cannot \(operation) \(path): \(StorageError.reason(code)); \(Self.remedy(code))"
    case .storage(let failure):
      "\(failure)"
    }
  }

  private static func remedy(_ code: Int32) -> String {
    switch code {
    case ENOSPC, EDQUOT, EFBIG: "free some space or choose another folder"
    case EACCES, EPERM, EROFS: "choose a folder that can be written to"
    default: "check the disk and the path"
    }
  }
}
