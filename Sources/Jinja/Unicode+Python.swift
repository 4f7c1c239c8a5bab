// What Python says of characters, where templates depend on it.

extension Unicode.Scalar {
  /// `str.isspace`: what `strip` and `split` take away.
  var isPythonSpace: Bool {
    switch value {
    case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F,
      0x205F, 0x3000:
      true
    default: false
    }
  }

  /// What ends a line for `splitlines`.
  var isPythonLineEnd: Bool {
    switch value {
    case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
    default: false
    }
  }

  /// `str.isprintable`: what `repr` writes as it is.
  var isPythonPrintable: Bool {
    switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    case .spaceSeparator: self == " "
    default: true
    }
  }

  /// `str.isalpha`.
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

  /// Whether it is a letter with upper and lower case.
  var isPythonCased: Bool {
    properties.isUppercase || properties.isLowercase
      || properties.generalCategory == .titlecaseLetter
  }
}
