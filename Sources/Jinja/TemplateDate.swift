/// The date and time that `strftime_now` formats, without a time zone.
package struct TemplateDate: Sendable, Hashable {
  /// The year, in 1...9999.
  package var year: Int
  /// The month, in 1...12.
  package var month: Int
  /// The day of the month, in 1...31.
  package var day: Int
  /// The hour, in 0...23.
  package var hour: Int
  /// The minute, in 0...59.
  package var minute: Int
  /// The second, in 0...59.
  package var second: Int

  /// Creates a date, by default 26 July 2024, the date that Llama 3's template uses as its default.
  package init(
    year: Int = 2024, month: Int = 7, day: Int = 26, hour: Int = 0, minute: Int = 0, second: Int = 0
  ) {
    precondition(
      (1...9999).contains(year) && (1...12).contains(month) && (1...31).contains(day)
        && (0...23).contains(hour) && (0...59).contains(minute) && (0...59).contains(second),
      "not a date: \(year)-\(month)-\(day) \(hour):\(minute):\(second)")
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
    self.second = second
  }

  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]
  private static let weekdays = [
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
  ]

  /// Days since 1 January of the year 1, in the Gregorian calendar.
  private var dayNumber: Int {
    let before = year - 1
    return before * 365 + before / 4 - before / 100 + before / 400 + dayOfYear - 1
  }

  private var dayOfYear: Int {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return lengths[..<(month - 1)].reduce(day, +)
  }

  /// Returns the output of one conversion of C's `strftime` in the C locale, and its width in
  /// digits; nil for an unknown conversion.
  private func conversion(_ letter: Character) -> (text: String, width: Int)? {
    let weekday = (dayNumber + 1) % 7
    return switch letter {
    case "Y": ("\(year)", 4)
    case "y": ("\(year % 100)", 2)
    case "m": ("\(month)", 2)
    case "d": ("\(day)", 2)
    case "H": ("\(hour)", 2)
    case "I": ("\((hour + 11) % 12 + 1)", 2)
    case "M": ("\(minute)", 2)
    case "S": ("\(second)", 2)
    case "j": ("\(dayOfYear)", 3)
    case "B": (Self.months[month - 1], 0)
    case "b", "h": (String(Self.months[month - 1].prefix(3)), 0)
    case "A": (Self.weekdays[weekday], 0)
    case "a": (String(Self.weekdays[weekday].prefix(3)), 0)
    case "w": ("\(weekday)", 0)
    case "p": (hour < 12 ? "AM" : "PM", 0)
    case "%": ("%", 0)
    default: nil
    }
  }

  /// The conversions that stand for several others.
  private static let combinations: [Character: String] = [
    "F": "%Y-%m-%d", "T": "%H:%M:%S", "D": "%m/%d/%y",
  ]

  /// Returns the date in `format`; nil when `format` has an unknown conversion.
  func formatted(_ format: String) -> String? {
    var result = ""
    var rest = format.makeIterator()
    while let character = rest.next() {
      guard character == "%" else {
        result.append(character)
        continue
      }
      var letter = rest.next()
      let isUnpadded = letter == "-"
      if isUnpadded { letter = rest.next() }
      guard let letter else { return nil }
      if let whole = Self.combinations[letter] {
        result += formatted(whole) ?? ""
        continue
      }
      guard let (text, width) = conversion(letter) else { return nil }
      if !isUnpadded { result += String(repeating: "0", count: max(0, width - text.count)) }
      result += text
    }
    return result
  }
}
