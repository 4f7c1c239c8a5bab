import Foundation

/// An error that ends the program with a sentence: what, where, why, what to do.
struct Refusal: Error, CustomStringConvertible {
  let description: String
  let code: Int32

  /// - Parameter code: The exit code: 2 configuration or input, 5 storage, 64 usage.
  init(_ sentence: String, code: Int32 = 2) {
    description = sentence
    self.code = code
  }

  /// Writes a sentence to standard error.
  static func report(_ sentence: String) {
    FileHandle.standardError.write(Data("apus-bench: \(sentence)\n".utf8))
  }
}
