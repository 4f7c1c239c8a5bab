// Tokenizer files of other programs, which are refused by the name of their format.
//
//     tiktoken    lines of a token in Base64 and its rank: qwen.tiktoken, and Llama 3's
//                 tokenizer.model, which has the name of a sentencepiece model
//     tekken      Mistral's tekken.json
import Files

extension TokenizerFile {
  private static let (tiktoken, tekken) = ("tiktoken", "tekken (mistral-common)")
  private static let tekkenName = "tekken.json"

  /// Refuses a file of another program.
  static func refuseForeignFormat(of file: String) throws(TokenizerError) {
    if file.hasSuffix(tekkenName) { throw .foreignFormat(path: file, format: tekken) }
    let isModel = file.hasSuffix(".model")
    let isTiktoken = try isModel ? isTiktoken(file) : file.hasSuffix(".tiktoken")
    if isTiktoken { throw .foreignFormat(path: file, format: tiktoken) }
  }

  /// Refuses the files of other programs in a folder without a tokenizer that Apus reads.
  static func refuseForeignFormats(in folder: String) throws(TokenizerError) {
    let names = ["qwen.tiktoken", tekkenName]
    for name in names where FileStatus.isPresent(FileSystem.join(folder, name)) {
      try refuseForeignFormat(of: FileSystem.join(folder, name))
    }
  }

  /// Returns true for a file whose first line is a word in Base64 and a number.
  private static func isTiktoken(_ file: String) throws(TokenizerError) -> Bool {
    let line = try contents(of: file).prefix(4096).prefix { $0 != UInt8(ascii: "\n") }
    let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard words.count == 2, !words[0].isEmpty, Base64.decode(words[0]) != nil else { return false }
    return Int(String(decoding: words[1], as: UTF8.self)) != nil
  }
}
