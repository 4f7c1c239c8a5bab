import Files

/// A line of a hostfile in the syntax of Open MPI, or of a discovery script for Elastic Horovod.
///
/// ```
/// node-a slots=2 max_slots=4     # a comment
/// node-b:2
/// ```
struct HostLine {
  /// The line without its comment.
  let text: String
  /// The file and the number of the line.
  let place: String
  /// True for a part of a list on the command line.
  let isPart: Bool

  init(_ line: String, at place: String, isPart: Bool = false) {
    self.isPart = isPart
    text = line.prefix { $0 != "#" }.trimmed
    self.place = place
  }

  /// Returns the host; nil for a line without words.
  ///
  /// - Parameter ranks: The ranks of every host, in place of its slots; nil when each must have slots.
  func host(ranks: Int?) throws(HostsError) -> Host? {
    // Open MPI permits spaces around the equals sign.
    let joined = text.split(separator: "=", omittingEmptySubsequences: false).map(\.trimmed)
      .joined(separator: "=")
    var words = joined.split { $0.isWhitespace }.map(String.init)
    guard !words.isEmpty else { return nil }
    var (name, slots) = try split(words.removeFirst())
    var most: Int?
    for word in words {
      let pair = word.split(separator: "=", maxSplits: 1).map(String.init)
      guard pair.count == 2 else {
        throw fault("\(word) is no NAME=VALUE", "write slots=N behind the name of the host")
      }
      switch pair[0].lowercased() {
      case "slots" where slots == nil: slots = try count(pair[1], of: "slots")
      case "max_slots", "max-slots": most = try count(pair[1], of: pair[0])
      default:
        throw fault(
          slots != nil && pair[0] == "slots"
            ? "slots is given twice" : "\(pair[0]) is not supported",
          "keep the name, slots=N and max_slots=N")
      }
    }
    guard let slots = ranks ?? slots else {
      throw fault(
        "the number of its ranks is missing",
        "write \(name)\(isPart ? ":N" : " slots=N"), or give --ranks-per-host")
    }
    if let most, slots > most {
      throw fault("\(slots) ranks are more than max_slots=\(most)", "lower one or raise the other")
    }
    return Host(name: name, slots: slots)
  }

  /// Splits `name:slots`.
  private func split(_ word: String) throws(HostsError) -> (String, Int?) {
    let parts = word.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    if parts.count > 2 {
      throw fault("an IPv6 address has no place for slots", "give it a name in /etc/hosts")
    }
    let name = parts[0]
    if name.contains("@") {
      throw fault("it contains a user's name", "write User into ~/.ssh/config, and the host here")
    }
    let letters = name.unicodeScalars
    guard
      letters.allSatisfy({
        $0.isASCII
          && ($0.properties.isAlphabetic || "0"..."9" ~= $0 || "._-".unicodeScalars.contains($0))
      }),
      let first = letters.first, !"-.".unicodeScalars.contains(first)
    else {
      throw fault(
        "a name has letters, digits, dots and hyphens, and begins with one of the first two",
        "write the name or the IPv4 address of a host")
    }
    return (name, parts.count == 2 ? try count(parts[1], of: "slots") : nil)
  }

  private func count(_ text: String, of key: String) throws(HostsError) -> Int {
    guard let number = Int(text), (1...65536).contains(number) else {
      throw fault("\(key) must be a number from 1 to 65536", "write the number of its ranks")
    }
    return number
  }

  private func fault(_ reason: String, _ remedy: String) -> HostsError {
    .badLine(place: place, text: text, reason: reason, remedy: remedy)
  }
}

extension Hosts {
  /// The hosts of a hostfile in the syntax of Open MPI.
  ///
  /// - Parameter ranks: The ranks of every host, in place of its slots; nil when each must have slots.
  package init(hostfile path: String, ranks: Int? = nil) throws(HostsError) {
    let bytes: [UInt8]
    do throws(StorageError) {
      bytes = try InputFile.contents(of: path, limit: 1 << 24, acceptsPipe: true)
    } catch {
      throw .unreadable(path: path, reason: error.reason)
    }
    try self.init(lines: String(decoding: bytes, as: UTF8.self), of: path, ranks: ranks)
  }

  /// The hosts in the lines `text` of a file or of a discovery script, called `source` in sentences.
  init(lines text: String, of source: String, ranks: Int?) throws(HostsError) {
    var hosts: [Host] = []
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (number, line) in lines.enumerated() {
      let line = HostLine(String(line), at: "\(source):\(number + 1)")
      if let host = try line.host(ranks: ranks) { hosts.append(host) }
    }
    if hosts.isEmpty { throw .empty(source: source) }
    self.init(hosts)
  }
}

extension StringProtocol {
  /// The text without white space at its ends.
  var trimmed: String {
    let start = drop { $0.isWhitespace }
    return String(
      start.prefix(
        upTo: start.lastIndex { !$0.isWhitespace }.map(start.index(after:)) ?? start.startIndex))
  }
}
