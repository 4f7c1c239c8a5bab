import Tokenizers

/// The records of a list of files, one after the other, whatever their forms.
///
/// - `.jsonl` holds an object in each line, `.json` a list of objects, `.csv` a line of names and then
///   rows (RFC 4180: a field in quotation marks may hold commas, line feeds and doubled quotation
///   marks); each of them may be a `.gz`.
/// - What a record is follows from its fields; see `RecordFormat`. Forms may be mixed in a file.
///
/// Memory is bounded by the longest line of a `.jsonl`, and by the whole of another file.
public struct RecordReader {
  private enum Source {
    case lines(LineReader)
    case elements(JSONElements)
    case table(CSVRows)
  }

  /// The records that could not be used and were left out.
  public private(set) var skipped = SkippedRecords()
  private let files: [SourceFile]
  private let skipsBad: Bool
  private var nextFile = 0
  private var source: Source?
  private var isFresh = false
  private static let limit = 1 << 32

  /// The records of `files`, which are files with records.
  ///
  /// A bad one is an error, or with `skipsBad` counted and left out.
  public init(_ files: [SourceFile], skipsBad: Bool = false) {
    self.files = files
    self.skipsBad = skipsBad
  }

  /// The next record; nil after the last.
  ///
  /// Throws `DatasetError.badRecord` for one that is malformed or makes no sense.
  public mutating func next() throws(DatasetError) -> LocatedRecord? {
    while true {
      do throws(DatasetError) {
        if let fields = try nextFields() {
          isFresh = false
          return LocatedRecord(try fields.record(), at: fields.place)
        }
      } catch {
        isFresh = false
        guard skipsBad, error.isOfOneRecord else { throw error }
        skipped.note(error)
        continue
      }
      if isFresh { throw .emptyFile(path: files[nextFile - 1].path) }
      guard try openNext() else { return nil }
    }
  }

  private mutating func openNext() throws(DatasetError) -> Bool {
    guard nextFile < files.count else { return false }
    let file = files[nextFile]
    nextFile += 1
    isFresh = true
    switch file.kind {
    case .jsonLines: source = .lines(try LineReader(file, limit: Self.limit))
    case .json: source = .elements(JSONElements(try file.text(limit: Self.limit), path: file.path))
    case .table: source = .table(try CSVRows(try file.text(limit: Self.limit), path: file.path))
    case .text:
      throw .unsupportedKind(path: file.path, supported: SourceFile.Contents.records.supported)
    }
    return true
  }

  /// The fields of the next record of the open file; nil when it has no more.
  private mutating func nextFields() throws(DatasetError) -> RecordFields? {
    // Taken out while it is read: two owners of its buffer would copy it.
    let open = source
    source = nil
    switch consume open {
    case nil: return nil
    case .lines(var lines):
      defer { source = .lines(lines) }
      while let line = try lines.next() {
        if line.isBlank { continue }
        let place = RecordPlace(path: files[nextFile - 1].path, line: line.number)
        return try RecordFields(json: line.bytes, at: place)
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

/// How many records were left out because they could not be used, and why the first of them.
public struct SkippedRecords: Sendable, Equatable {
  /// How many.
  public private(set) var count = 0
  /// What was wrong with the first of them, at most three.
  public private(set) var first: [DatasetError] = []

  /// None.
  public init() {}

  /// Counts one that was left out because of `error`.
  mutating func note(_ error: DatasetError) {
    count += 1
    if first.count < 3 { first.append(error) }
  }

  /// Counts those of `other` too.
  mutating func note(_ other: SkippedRecords) {
    count += other.count
    first = Array((first + other.first).prefix(3))
  }
}
