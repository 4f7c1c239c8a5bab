extension String {
  /// Returns the text with a visible sign for every character that could change a terminal or the
  /// order of the characters on it, for text that users, files and models wrote.
  ///
  /// A C0 control or DEL becomes its control picture (`␛`); a C1 control, or a control of the
  /// writing direction (U+202A–202E, U+2066–2069; Unicode Technical Report 36), becomes `␦`.
  ///
  /// - Parameter keepsLines: True to keep line feeds and tabs; otherwise each becomes a space.
  package func visible(keepsLines: Bool = false) -> String {
    guard unicodeScalars.contains(where: \.controlsTerminal) else { return self }
    var text = UnicodeScalarView()
    for scalar in unicodeScalars {
      text.append(scalar.controlsTerminal ? scalar.sign(keepsLines: keepsLines) : scalar)
    }
    return String(text)
  }
}

extension Unicode.Scalar {
  fileprivate var controlsTerminal: Bool {
    switch value {
    case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
  }

  /// The visible sign of a control.
  fileprivate func sign(keepsLines: Bool) -> Unicode.Scalar {
    switch value {
    case 0x09, 0x0A: keepsLines ? self : " "
    case 0..<0x20: Unicode.Scalar(0x2400 + value) ?? "␦"
    case 0x7F: "␡"
    default: "␦"
    }
  }
}
