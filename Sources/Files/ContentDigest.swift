import Crypto

/// The SHA-256 of contents in memory; ``InputFile/sha256()`` is that of a file.
package enum ContentDigest {
  /// Returns the SHA-256 of `bytes`: 64 lower-case hexadecimal digits, as `sha256sum` prints them.
  package static func sha256(of bytes: some Sequence<UInt8>) -> String {
    SHA256.hash(data: Array(bytes)).hexadecimal
  }
}

extension SHA256Digest {
  /// The 64 lower-case hexadecimal digits, as `sha256sum` prints them.
  package var hexadecimal: String {
    map { $0.hexadecimal(width: 2) }.joined()
  }
}
