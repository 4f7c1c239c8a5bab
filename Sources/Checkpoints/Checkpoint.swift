// "State to disk and back."

import Files
import Glibc

/// A published checkpoint, verified: every file has the size and hash in the manifest.
package struct Checkpoint: Sendable, Equatable {
  /// The folder.
  package let path: String
  /// The training step, files, sizes and hashes.
  package let manifest: Manifest

  init(path: String, manifest: Manifest) {
    self.path = path
    self.manifest = manifest
  }

  /// The training step after which the state was saved.
  package var step: Int { manifest.step }

  /// Returns the path of a file that the manifest lists, without listing the folder.
  package func path(of name: String) throws(CheckpointError) -> String {
    guard manifest.files.contains(where: { $0.name == name }) else {
      throw .damaged(path: path, reason: "its manifest does not list \(name)")
    }
    return "\(path)/\(name)"
  }

  /// Opens the checkpoint in the folder `path` and reads every byte of it.
  ///
  /// Files that the manifest does not list are ignored. The folder may have been copied and
  /// renamed; only a `step-…` name must agree with the manifest. Takes the time to read and hash
  /// all files.
  ///
  /// - Throws: ``CheckpointError`` if the contents are wrong, ``StorageError`` if they cannot be
  ///   read.
  package init(verifying path: String) throws {
    let folder = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    let manifest = try Self.manifest(in: folder)
    if let name = folder.split(separator: "/").last,
      case .published(let step)? = CheckpointName(String(name)), step != manifest.step
    {
      throw CheckpointError.damaged(
        path: folder, reason: "its manifest is of step \(manifest.step)")
    }
    for file in manifest.files { try Self.verify(file, in: folder) }
    self.init(path: folder, manifest: manifest)
  }

  /// Opens the checkpoint in the folder `path` by its manifest alone, for a rank that relies on the
  /// verification by another rank.
  ///
  /// - Throws: As ``init(verifying:)``.
  package init(verifiedElsewhere path: String) throws {
    self.init(path: path, manifest: try Self.manifest(in: path))
  }

  /// Refuses the folder `path`, which has no manifest, if its name or its training state shows that it is
  /// a checkpoint: nothing tells whether its files are whole.
  static func refuseWithoutManifest(_ path: String) throws(CheckpointError) {
    let folder = FileSystem.resolvingLinks(path)
    let name = folder.split(separator: "/").last.map(String.init) ?? ""
    let isNamed = CheckpointName(name) != nil
    guard isNamed || TrainingState.isIn(folder) else { return }
    throw CheckpointError.damaged(
      path: path,
      reason: "it has no \(Manifest.fileName), although "
        + (isNamed ? "its name is that of a checkpoint" : "it holds the state of a run"))
  }

  private static func manifest(in folder: String) throws -> Manifest {
    let path = "\(folder)/\(Manifest.fileName)"
    do {
      let bytes = try InputFile(path).contents(limit: Manifest.maximumSize)
      return try Manifest(decoding: bytes, path: path)
    } catch StorageError.call(_, _, ENOENT) {
      let reason =
        try FileSystem.exists(folder) ? "it has no \(Manifest.fileName)" : "it does not exist"
      throw CheckpointError.notACheckpoint(path: folder, reason: reason)
    } catch StorageError.call(_, _, ENOTDIR) {
      throw CheckpointError.notACheckpoint(path: folder, reason: "it is not a folder")
    } catch let error as StorageError where isOfFile(error) {
      throw CheckpointError.damaged(path: path, reason: error.reason)
    }
  }

  private static func verify(_ file: FileRecord, in folder: String) throws {
    let path = "\(folder)/\(file.name)"
    let opened = try open(path)
    let status = opened.status
    guard status.byteCount == file.size else {
      throw CheckpointError.damaged(
        path: path, reason: "it has \(status.byteCount) bytes where the manifest says \(file.size)")
    }
    let sha256 = try opened.sha256()
    guard sha256 == file.sha256 else {
      throw CheckpointError.damaged(
        path: path, reason: "its SHA-256 is \(sha256) where the manifest says \(file.sha256)")
    }
  }

  private static func open(_ path: String) throws -> InputFile {
    do {
      return try InputFile(path)
    } catch .call(_, _, ENOENT) {
      throw CheckpointError.damaged(path: path, reason: "the file is missing")
    } catch let error where isOfFile(error) {
      throw CheckpointError.damaged(path: path, reason: error.reason)
    }
  }

  /// Returns true for an error of a name in a folder that can be read: the file behind it is the fault,
  /// not the disk.
  private static func isOfFile(_ error: StorageError) -> Bool {
    if case .call(_, _, let code) = error, [ELOOP, EACCES, EPERM, ENXIO, ENODEV].contains(code) {
      return true
    }
    return error.isOfNoFile
  }
}
