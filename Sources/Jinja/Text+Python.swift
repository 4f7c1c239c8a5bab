// The methods of Python's `str`. Every resulting letter keeps its origin.

extension Text {
  // MARK: Case

  /// Returns the string with what `map` returns in place of each scalar, which stays where that is
  /// nil.
  func mapped(_ map: (Unicode.Scalar) -> String?) -> Text {
    var result: [Letter] = []
    result.reserveCapacity(count)
    for letter in letters {
      if let text = map(letter.scalar) {
        result += text.unicodeScalars.map(letter.with)
      } else {
        result.append(letter)
      }
    }
    return Text(result)
  }

  var uppercased: Text { mapped(\.properties.uppercaseMapping) }

  var lowercased: Text {
    var result: [Letter] = []
    result.reserveCapacity(count)
    for (index, letter) in letters.enumerated() {
      if letter.scalar == "Σ" {
        result.append(letter.with(isFinalSigma(index) ? "ς" : "σ"))
      } else {
        result += letter.scalar.properties.lowercaseMapping.unicodeScalars.map(letter.with)
      }
    }
    return Text(result)
  }

  /// Returns true when a sigma at `index` ends a word, by Unicode's rule Final_Sigma.
  private func isFinalSigma(_ index: Int) -> Bool {
    func cased(_ letters: some Sequence<Letter>) -> Bool {
      let first = letters.first { !$0.scalar.properties.isCaseIgnorable }
      return first?.scalar.isPythonCased ?? false
    }
    return cased(letters[..<index].reversed()) && !cased(letters[(index + 1)...])
  }

  /// Python's `capitalize`: the first letter in title case, the others in lower case.
  var capitalized: Text {
    guard !isEmpty else { return self }
    return self[0..<1].mapped(\.properties.titlecaseMapping)
      + Text(lowercased.letters.dropFirst(self[0..<1].lowercased.count))
  }

  /// Python's `title`: title case after every character that has no case, lower case elsewhere.
  var titled: Text {
    var isInside = false
    return mapped { scalar in
      defer { isInside = scalar.isPythonCased }
      return isInside ? scalar.properties.lowercaseMapping : scalar.properties.titlecaseMapping
    }
  }

  var caseSwapped: Text {
    mapped { scalar in
      let properties = scalar.properties
      return properties.isUppercase ? properties.lowercaseMapping : properties.uppercaseMapping
    }
  }

  var isLower: Bool { hasOnly(\.isLowercase, not: \.isUppercase) }

  var isUpper: Bool { hasOnly(\.isUppercase, not: \.isLowercase) }

  private func hasOnly(
    _ wanted: KeyPath<Unicode.Scalar.Properties, Bool>,
    not unwanted: KeyPath<Unicode.Scalar.Properties, Bool>
  ) -> Bool {
    var found = false
    for letter in letters {
      let properties = letter.scalar.properties
      if properties[keyPath: unwanted] || properties.generalCategory == .titlecaseLetter {
        return false
      }
      found = found || properties[keyPath: wanted]
    }
    return found
  }

  // MARK: Ends

  /// Returns the string without the characters of `set` at its ends; nil stands for white space.
  func stripped(_ set: Text? = nil, left: Bool = true, right: Bool = true) -> Text {
    let values = set.map { Set($0.letters.map(\.value)) }
    func goes(_ letter: Letter) -> Bool {
      values?.contains(letter.value) ?? letter.scalar.isPythonSpace
    }
    var (start, end) = (0, count)
    while left, start < end, goes(letters[start]) { start += 1 }
    while right, end > start, goes(letters[end - 1]) { end -= 1 }
    return self[start..<end]
  }

  // MARK: Parts

  /// Returns Python's `split`, or `rsplit` when `fromRight`.
  ///
  /// - Parameters:
  ///   - separator: The separator; nil splits at runs of white space.
  ///   - most: Largest number of splits; a negative number means no limit.
  func split(_ separator: Text?, most: Int, fromRight: Bool = false) -> [Text] {
    if fromRight {
      return Text(letters.reversed()).split(separator?.reversed, most: most)
        .reversed().map(\.reversed)
    }
    var parts: [Text] = []
    var start = 0
    let most = most < 0 ? Int.max : most
    if let separator {
      while parts.count < most, let end = firstIndex(of: separator, from: start) {
        parts.append(self[start..<end])
        start = end + separator.count
      }
      return parts + [self[start..<count]]
    }
    while true {
      while start < count, letters[start].scalar.isPythonSpace { start += 1 }
      guard start < count else { return parts }
      if parts.count == most {
        return parts + [self[start..<count].stripped(left: false)]
      }
      var end = start
      while end < count, !letters[end].scalar.isPythonSpace { end += 1 }
      parts.append(self[start..<end])
      start = end
    }
  }

  var reversed: Text { Text(letters.reversed()) }

  func lines(keepsEnds: Bool = false) -> [Text] {
    var lines: [Text] = []
    var start = 0
    var index = 0
    while index < count {
      guard letters[index].scalar.isPythonLineEnd else {
        index += 1
        continue
      }
      let end = index
      let isPair = matches(Text("\r\n"), at: index)
      index += isPair ? 2 : 1
      lines.append(self[start..<(keepsEnds ? index : end)])
      start = index
    }
    return start < count ? lines + [self[start..<count]] : lines
  }

  /// Returns the string with the first `most` occurrences of `old` replaced by `new`.
  ///
  /// A negative `most` means no limit.
  func replacing(_ old: Text, with new: Text, most: Int) -> Text {
    let most = most < 0 ? Int.max : most
    var result = Text()
    var replaced = 0
    var start = 0
    if old.isEmpty {
      for letter in letters {
        if replaced < most {
          result += new
          replaced += 1
        }
        result.letters.append(letter)
      }
      return replaced < most ? result + new : result
    }
    while replaced < most, let index = firstIndex(of: old, from: start) {
      result += self[start..<index] + new
      start = index + old.count
      replaced += 1
    }
    return result + self[start..<count]
  }

  /// Returns the number of occurrences of `part` without overlap.
  func occurrences(of part: Text) -> Int {
    part.isEmpty ? count + 1 : split(part, most: -1).count - 1
  }

  func joined(_ parts: [Text]) -> Text {
    var result = Text()
    for (index, part) in parts.enumerated() {
      if index > 0 { result += self }
      result += part
    }
    return result
  }
}
