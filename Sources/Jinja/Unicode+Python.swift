// Python's classification of characters, as far as templates depend on it.

extension Unicode.Scalar {
  /// Python's `str.isspace`: characters that `strip` and `split` remove.
  var isPythonSpace: Bool {
    switch value {
    case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F,
      0x205F, 0x3000:
      true
    default: false
    }
  }

  /// True for the line ends of Python's `splitlines`.
  var isPythonLineEnd: Bool {
    switch value {
    case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
    default: false
    }
  }

  /// Python's `str.isprintable`: characters that `repr` writes without escapes.
  var isPythonPrintable: Bool {
    switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    case .spaceSeparator: self == " "
    default: true
    }
  }

  /// Python's `str.isalpha`.
  var isPythonLetter: Bool {
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }

  /// `\w` of Python's regular expressions.
  var isPythonWord: Bool { isPythonLetter || properties.numericType != nil || self == "_" }

  var startsName: Bool { self == "_" || isPythonLetter }

  var continuesName: Bool { startsName || properties.generalCategory == .decimalNumber }

  /// True for a letter with upper and lower case.
  var isPythonCased: Bool {
    properties.isUppercase || properties.isLowercase
      || properties.generalCategory == .titlecaseLetter
  }
}
