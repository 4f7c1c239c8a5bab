import Files
import Glibc
import Testing

@testable import Datasets

struct DatasetErrorTests {
  /// One error of every case.
  static let all: [DatasetError] = [
    .noSources,
    .missing(path: "c/a.txt"),
    .noMatch(pattern: "*.txt", folder: ""),
    .emptyFolder(path: "c"),
    .unsupportedKind(path: "c/a.pdf"),
    .notAFile(path: "/dev/null"),
    .nameNotUTF8(folder: "c"),
    .unreadable(path: "c/a.txt", code: EACCES),
    .inBoth(path: "c/a.txt"),
    .emptyFile(path: "c/a.txt"),
    .binary(path: "c/a.txt", offset: 17),
    .notUTF8(path: "c/a.txt", offset: 17),
    .brokenJSON(path: "c/a.jsonl", line: 3, reason: "Unexpected end of file"),
    .missingField(path: "c/a.jsonl", line: 3, field: "text", found: ["id", "prompt"]),
    .missingField(path: "c/a.jsonl", line: 3, field: "text", found: []),
    .missingField(path: "c/a.jsonl", line: 3, field: "text", found: (0..<20).map { "f\($0)" }),
    .fieldNotText(path: "c/a.jsonl", line: 3, field: "text", found: "a number"),
    .notGzip(path: "c/a.txt.gz"),
    .truncatedGzip(path: "c/a.txt.gz"),
    .damagedGzip(path: "c/a.txt.gz", reason: "incorrect data check"),
    .documentTooLarge(path: "c/a.txt", line: nil, limit: 1000),
    .documentTooLarge(path: "c/a.jsonl", line: 3, limit: 1000),
    .invalidFraction(1.5),
    .noTrainingText,
    .noValidationText(documents: 4, fraction: 0.1),
    .oneSide(records: 1, fraction: 0.1),
    .oneSide(records: 4, fraction: 0.1),
    .unknownField("txt", known: ["label", "text"]),
    .unusedMappedField("sistem", for: "system", found: ["prompt", "text"]),
    .noDataset(folder: "d"),
    .brokenDescription(path: "d/dataset.json", reason: "it has version 9 and this program reads 1"),
    .otherTokenizer(folder: "d", found: "01", expected: "02"),
    .notAShard(path: "d/train.tokens"),
    .unknownVersion(path: "d/train.tokens", found: 9, known: 1),
    .truncatedShard(path: "d/train.tokens", bytes: 10, expected: 64),
    .damagedShard(path: "d/train.tokens", part: "header", checksum: 1, recorded: 2),
    .inconsistentShard(path: "d/train.tokens", reason: "3 bytes follow its end"),
    .unknownToken(path: "d/train.tokens", position: 5, id: 300, vocabularySize: 257),
    .foreignToken(id: 300, vocabularySize: 257),
    .corpusTooShort(tokens: 40, context: 64),
    .corpusTooShort(tokens: 40, context: 64, use: .replayed),
    .corpusTooShort(tokens: 40, context: 64, use: .validation),
    .nothingToEvaluate,
    .storage(.call(operation: "write", path: "d/train.tokens", code: ENOSPC)),
    .storage(.call(operation: "create", path: "d/train.tokens", code: EROFS)),
    .storage(.call(operation: "read", path: "d/train.tokens", code: EIO)),
  ]

  static let sentences = ##"""
    no text was named to train on; list files, folders or globs under data.train
    there is no file or folder c/a.txt; correct the path, which starts at the current folder unless it begins with /
    no file matches *.txt in the current folder; correct the pattern (*, ? and [...] stay within a folder, ** crosses folders)
    the folder c holds no .txt, .jsonl, .txt.gz or .jsonl.gz file; put the corpus there or name another folder
    c/a.pdf is of a kind that cannot be read; convert it to .txt, .jsonl, .txt.gz or .jsonl.gz
    /dev/null is neither a file nor a folder; name a regular file
    the folder c holds a name that is not UTF-8; rename or move that file
    cannot read c/a.txt: Permission denied; check its permissions
    c/a.txt is named for training and for validation; name it in one of the two only
    c/a.txt holds no text; fill it or remove it from the list
    c/a.txt is not text (a NUL byte at byte 17); convert it to UTF-8 text or remove it from the list
    c/a.txt is not UTF-8 at byte 17; convert it, for example with iconv -f ISO-8859-1 -t UTF-8, or remove it from the list
    c/a.jsonl:3 is not a JSON object (Unexpected end of file); each line must be one whole object
    c/a.jsonl:3 has no field "text" (found: "id", "prompt"); name the field that holds the text
    c/a.jsonl:3 has no field "text" (found: no field at all); name the field that holds the text
    c/a.jsonl:3 has no field "text" (found: "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7" and 12 more); name the field that holds the text
    c/a.jsonl:3 has a number in its field "text" where a string is needed; correct the line or name another field
    c/a.txt.gz ends in .gz and is not gzip data; rename it, or compress it with gzip
    c/a.txt.gz ends in the middle of its gzip data; copy or download it again
    c/a.txt.gz holds damaged gzip data (incorrect data check); copy or download it again
    c/a.txt holds a document or record of more than 1000 bytes; split it into several
    c/a.jsonl:3 holds a document or record of more than 1000 bytes; split it into several
    a validation fraction of 1.5 is not possible; give a number from 0 to below 1
    no text is left to train on; add documents or lower the validation fraction
    a validation fraction of 0.1 holds out none of 4 documents; add some, raise the fraction, set it to 0, or name validation files
    a validation fraction of 0.1 cannot hold out a part of 1 record; add records with other prompts, set data.validation to 0, or name validation files
    a validation fraction of 0.1 cannot hold out a part of 4 records with one prompt, which stay together; add records with other prompts, set data.validation to 0, or name validation files
    no record has a field "txt" to be read under another name; name one of label, text
    no record has a field "sistem", which data.fields names for "system" (found: "prompt", "text"); correct the name or leave it out
    there is no dataset in d (no dataset.json); build it with apus data
    d/dataset.json cannot be decoded (it has version 9 and this program reads 1); delete the folder and build the dataset again
    the dataset in d was made with the tokenizer 01 and this run uses 02; build it again with this tokenizer
    d/train.tokens is not a token shard; name a dataset built with apus data
    d/train.tokens is a token shard of version 9 and this program reads version 1; build the dataset again or use the program that made it
    d/train.tokens has 10 of its 64 bytes; copy it again or build the dataset again
    d/train.tokens is damaged (the checksum of its header is 00000001 where 00000002 is recorded); copy it again or build the dataset again
    d/train.tokens is inconsistent (3 bytes follow its end); build the dataset again
    d/train.tokens holds the id 300 at token 5, outside its vocabulary of 257; build the dataset again
    the dataset holds the id 300, outside this tokenizer's 257 ids; use the tokenizer that made the dataset
    the training text has 40 tokens and one window needs 65; add text, or lower model.context
    the replayed text has 40 tokens and one window needs 65; add text to data.replay.train, or lower model.context
    the validation text has 40 tokens and one window needs 65; hold out or name more text with data.validation, or lower model.context
    there is no validation text to evaluate on; build the dataset with a validation fraction or with validation files
    cannot write d/train.tokens: No space left on device; free some space or choose another folder
    cannot create d/train.tokens: Read-only file system; choose a folder that can be written to
    cannot read d/train.tokens: Input/output error; check the disk and the path
    """##

  @Test func everySentenceIsAsExpected() {
    #expect(Self.all.map(\.description) == Self.sentences.split(separator: "\n").map(String.init))
  }

  @Test func everySentenceSaysWhatToDo() {
    for error in Self.all {
      #expect(error.description.contains("; "), "\(error)")
      #expect(!error.description.hasSuffix(".") && !error.description.contains(". "), "\(error)")
    }
  }

  @Test func onlyAFileThatDoesNotOpenIsTheInputsFault() {
    func error(_ operation: String, _ code: Int32) -> DatasetError {
      DatasetError(.call(operation: operation, path: "p", code: code))
    }
    #expect(error("open", ENOENT) == .missing(path: "p"))
    #expect(error("open", ENOTDIR) == .missing(path: "p"))
    #expect(error("open", EACCES) == .unreadable(path: "p", code: EACCES))
    for (operation, code) in [("open", EIO), ("open", ESTALE), ("read", EIO), ("create", ENOENT)] {
      let failure = StorageError.call(operation: operation, path: "p", code: code)
      #expect(error(operation, code) == .storage(failure))
    }
  }
}
