/// The documents of a list of files, in order.
///
/// Memory is bounded by the longest document: a line of a `.jsonl`, a whole `.txt`. Only a byte-order
/// mark at the start of a file and blank lines of a `.jsonl` are left out.
package struct DocumentStream {
  private let files: [SourceFile]
  private let textField: String
  private let documentLimit: Int?
  private let skipsBad: Bool
  /// The lines that could not be read and were left out, and the empty files.
  package private(set) var skipped = SkippedRecords()
  private var nextFile = 0
  private var nextIndex = 0
  private var lines: LineReader?
  private var linesHeldDocument = false

  /// Creates a stream of the documents of `files`, whose `.jsonl` lines have their text in
  /// `textField`.
  ///
  /// A document of more than `documentLimit` bytes is an error, because a small `.gz` can inflate to
  /// more than the memory holds; nil for the limits of `SourceFile`. A line of a `.jsonl` that is not a
  /// text in `textField` is an error, or with `skipsBad` left out and counted. An empty file is left out
  /// and counted, unless no file holds a document.
  package init(
    _ files: [SourceFile], textField: String = "text", documentLimit: Int? = nil,
    skipsBad: Bool = false
  ) {
    self.files = files
    self.textField = textField
    self.documentLimit = documentLimit
    self.skipsBad = skipsBad
  }

  /// Returns the next document; nil after the last.
  package mutating func next() throws(DatasetError) -> Document? {
    while true {
      do throws(DatasetError) {
        if lines != nil {
          if let document = try nextLine() { return document }
          lines = nil
        }
        guard nextFile < files.count else { break }
        nextFile += 1
        if let document = try open(files[nextFile - 1]) { return document }
      } catch .emptyFile(let path) {
        lines = nil
        skipped.note(emptyFile: path)
      }
    }
    if nextIndex == 0, skipped.count == 0, let path = skipped.emptyFiles.first {
      throw .emptyFile(path: path)
    }
    return nil
  }

  /// Opens `file`, and returns its document if it is one.
  private mutating func open(_ file: SourceFile) throws(DatasetError) -> Document? {
    switch file.kind {
    case .text:
      return document(try file.text(limit: documentLimit ?? file.wholeLimit), from: file)
    case .jsonLines:
      lines = try LineReader(file, limit: documentLimit ?? SourceFile.recordLimit)
      linesHeldDocument = false
      return nil
    case .json, .table:
      throw .unsupportedKind(path: file.path, supported: SourceFile.Contents.documents.supported)
    }
  }

  private mutating func nextLine() throws(DatasetError) -> Document? {
    let file = files[nextFile - 1]
    while true {
      do throws(DatasetError) {
        guard let line = try lines?.next() else { break }
        if line.isBlank { continue }
        linesHeldDocument = true
        let text = try JSONTextField.text(
          of: textField, in: line.bytes, path: file.path, line: line.number)
        return document(Array(text.utf8), from: file)
      } catch {
        guard skipsBad, error.concernsOneRecord else { throw error }
        linesHeldDocument = true
        skipped.note(error)
      }
    }
    guard linesHeldDocument else { throw .emptyFile(path: file.path) }
    return nil
  }

  private mutating func document(_ bytes: [UInt8], from file: SourceFile) -> Document {
    defer { nextIndex += 1 }
    return Document(bytes: bytes, source: file.path, index: nextIndex)
  }
}
