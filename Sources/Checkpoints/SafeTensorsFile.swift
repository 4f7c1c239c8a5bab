import Files

/// A safetensors file, mapped into memory; its tensors are read from the disk when accessed.
///
/// Every length and offset is checked when the file is opened.
///
/// `@unchecked Sendable`: the mapping that `data` points into is read-only and lives as long.
package final class SafeTensorsFile: @unchecked Sendable {
  package let path: String
  /// Size of the file in bytes.
  var byteCount: Int { mapping.bytes.count }
  /// The names of the tensors, in the order of their data.
  package let names: [String]
  /// The metadata of the header.
  package let metadata: [String: String]

  private let mapping: MappedFile
  private let entries: [String: SafeTensorsHeader.Entry]
  private let data: UnsafeRawBufferPointer

  /// Opens and checks the file.
  ///
  /// - Throws: ``StorageError`` if it cannot be read, ``CheckpointError`` if its contents are
  ///   wrong.
  package init(path: String) throws {
    let mapping: MappedFile
    do {
      mapping = try MappedFile(path)
    } catch {
      guard error.isOfNoFile else { throw error }
      throw CheckpointError.badSafeTensors(path: path, reason: "it is not a regular file")
    }
    let file = mapping.bytes
    guard file.count >= 8 else {
      throw CheckpointError.badSafeTensors(
        path: path, reason: "\(file.count, "byte is", "bytes are") too few for a header")
    }
    let length = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
    guard length <= SafeTensorsHeader.maximumLength, Int(length) <= file.count - 8 else {
      throw CheckpointError.badSafeTensors(
        path: path,
        reason: """
          it announces a header of \(length) bytes, more than the file holds or the format allows \
          (\(SafeTensorsHeader.maximumLength))
          """)
    }
    data = UnsafeRawBufferPointer(rebasing: file[(8 + Int(length))...])
    let header = try SafeTensorsHeader(
      parsing: UnsafeRawBufferPointer(rebasing: file[8..<(8 + Int(length))]),
      dataSize: data.count, path: path)
    self.path = path
    self.mapping = mapping
    names = header.entries.map(\.name)
    metadata = header.metadata
    entries = Dictionary(uniqueKeysWithValues: header.entries.map { ($0.name, $0) })
  }

  /// Returns the tensor of this name; its bytes are valid as long as this object lives.
  package func tensor(named name: String) throws(CheckpointError) -> SafeTensor {
    guard let entry = entries[name] else { throw .missingTensor(path: path, name: name) }
    return SafeTensor(
      name: name, dtype: entry.dtype, shape: entry.shape,
      bytes: UnsafeRawBufferPointer(rebasing: data[entry.range]))
  }
}
