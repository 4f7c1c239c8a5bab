import Tokenizers

/// Reads the records of a list of files, in order and in any format.
///
/// - `.jsonl` holds one object per line, `.json` a list of objects, `.csv` a header line and rows
///   (RFC 4180: a quoted field may hold commas, line feeds and doubled quotation marks); each of them
///   may be a `.gz`.
/// - The fields of a record determine its format; see `RecordFormat`. A file may mix formats.
///
/// Memory is bounded by the longest line of a `.jsonl`, and by the size of any other file.
package struct RecordReader {
  private enum Source {
    case lines(LineReader)
    case elements(JSONElements)
    case table(CSVRows)
  }

  /// The records that could not be used and were left out.
  package private(set) var skipped = SkippedRecords()
  /// The fields of the records so far that are not used.
  package private(set) var unused = UnusedFields()
  /// The names that `data.fields` gives and no record so far has.
  private(set) var unseenNames: Set<String>
  /// The fields of the first record.
  private(set) var firstFields: [String]?
  private let files: [SourceFile]
  private let names: FieldNames
  private let skipsBad: Bool
  private var nextFile = 0
  private var source: Source?
  private var hasNoRecordYet = false

  /// Creates a reader of `files`, whose fields have `names`.
  ///
  /// A bad record is an error, or with `skipsBad` left out and counted.
  package init(
    _ files: [SourceFile], names: FieldNames = FieldNames(), skipsBad: Bool = false
  ) {
    self.files = files
    self.names = names
    self.skipsBad = skipsBad
    unseenNames = names.ofRecords.inFile
  }

  /// Returns the next record; nil after the last.
  ///
  /// Throws `DatasetError.badRecord` for a malformed or invalid record. An empty file beside others is
  /// left out and counted.
  package mutating func next() throws(DatasetError) -> LocatedRecord? {
    while true {
      if source == nil {
        guard try openNext() else { break }
      }
      do throws(DatasetError) {
        if let fields = try nextFields() {
          hasNoRecordYet = false
          unseenNames.subtract(fields.mappedNames)
          firstFields = firstFields ?? fields.members.map(\.name)
          let (record, unused) = try fields.record()
          self.unused.note(unused)
          return LocatedRecord(record, at: fields.place)
        }
        source = nil
        if hasNoRecordYet { throw .emptyFile(path: files[nextFile - 1].path) }
      } catch .emptyFile(let path) {
        source = nil
        skipped.note(emptyFile: path)
      } catch {
        hasNoRecordYet = false
        guard skipsBad, error.concernsOneRecord else { throw error }
        skipped.note(error)
      }
    }
    if firstFields == nil, skipped.count == 0, let path = skipped.emptyFiles.first {
      throw .emptyFile(path: path)
    }
    return nil
  }

  /// Opens the next file that is not empty; returns false after the last.
  private mutating func openNext() throws(DatasetError) -> Bool {
    while nextFile < files.count {
      nextFile += 1
      do throws(DatasetError) {
        try open(files[nextFile - 1])
        return true
      } catch .emptyFile(let path) {
        skipped.note(emptyFile: path)
      }
    }
    return false
  }

  private mutating func open(_ file: SourceFile) throws(DatasetError) {
    hasNoRecordYet = true
    switch file.kind {
    case .jsonLines: source = .lines(try LineReader(file, limit: SourceFile.recordLimit))
    case .json:
      let text = try file.text(limit: file.wholeLimit)
      source = .elements(JSONElements(text, path: file.path, names: names))
    case .table:
      let text = try file.text(limit: file.wholeLimit)
      source = .table(try CSVRows(text, path: file.path, names: names))
    case .text:
      throw .unsupportedKind(path: file.path, supported: SourceFile.Contents.records.supported)
    }
  }

  /// Returns the fields of the next record of the open file; nil at its end.
  private mutating func nextFields() throws(DatasetError) -> RecordFields? {
    // Moved out of the property while reading, because a second owner would copy its buffer.
    let open = source
    source = nil
    switch consume open {
    case nil: return nil
    case .lines(var lines):
      defer { source = .lines(lines) }
      while let line = try lines.next() {
        if line.isBlank { continue }
        let place = RecordPlace(path: files[nextFile - 1].path, line: line.number)
        return try RecordFields(json: line.bytes, at: place, names: names)
      }
      return nil
    case .elements(var elements):
      defer { source = .elements(elements) }
      return try elements.next()
    case .table(var rows):
      defer { source = .table(rows) }
      return try rows.next()
    }
  }
}

/// The number of records that were left out because they could not be used, with the first errors, and
/// the empty files.
package struct SkippedRecords: Sendable, Equatable {
  package private(set) var count = 0
  /// The errors of the first three of them.
  package private(set) var first: [DatasetError] = []

  /// The paths of the files without text.
  package private(set) var emptyFiles: [String] = []

  package init() {}

  /// The empty files as a phrase; nil when there are none.
  package var emptyFilesNote: String? {
    emptyFiles.first.map { path in
      "\(emptyFiles.count, "empty file") left out: \(path)" + (emptyFiles.count > 1 ? " …" : "")
    }
  }

  /// Counts a file without text.
  mutating func note(emptyFile path: String) { emptyFiles.append(path) }

  /// Counts a record that was left out because of `error`.
  mutating func note(_ error: DatasetError) {
    count += 1
    if first.count < 3 { first.append(error) }
  }

  /// Adds the records of `other`.
  mutating func note(_ other: SkippedRecords) {
    count += other.count
    first = Array((first + other.first).prefix(3))
    emptyFiles += other.emptyFiles
  }
}
