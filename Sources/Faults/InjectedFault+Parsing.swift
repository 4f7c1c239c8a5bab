import Glibc

/// A value of `APUS_FAULT` that is not a list of faults.
package struct FaultSyntaxError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The fault that cannot be read.
  package let text: String
  /// The defect, as the end of a sentence.
  package let defect: String

  package init(text: String, defect: String) {
    self.text = text
    self.defect = defect
  }

  /// One sentence: what, where, why, what to do.
  package var description: String {
    "\"\(text)\" in APUS_FAULT \(defect): write it like kill@rank=2,step=17,phase=exchange, or unset "
      + "the variable"
  }
}

extension InjectedFault {
  /// The errors that a failing write may have.
  private static let errors: [(name: String, code: Int32)] = [
    ("EIO", Glibc.EIO), ("ENOSPC", Glibc.ENOSPC), ("EDQUOT", Glibc.EDQUOT), ("EROFS", Glibc.EROFS),
    ("EACCES", Glibc.EACCES),
  ]

  /// Returns the faults in `text`, which semicolons separate.
  package static func list(_ text: String) throws(FaultSyntaxError) -> [InjectedFault] {
    var faults: [InjectedFault] = []
    for part in text.split(separator: ";") {
      let fault = String(part).trimmed
      if !fault.isEmpty { faults.append(try InjectedFault(fault)) }
    }
    return faults
  }

  init(_ text: String) throws(FaultSyntaxError) {
    func defect(_ words: String) -> FaultSyntaxError { FaultSyntaxError(text: text, defect: words) }
    let halves = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    let words = halves[0].split(separator: "=", maxSplits: 1).map { String($0).trimmed }
    let value = words.count > 1 ? words[1] : nil
    guard let action = Action(words.first ?? "", value) else {
      throw defect(
        "has no action of kill, stop, exit=CODE, delay=SECONDS, fail=ERROR and flip=ELEMENT:BIT")
    }
    self.action = action
    let conditions = halves.count > 1 ? halves[1].split(separator: ",") : []
    for condition in conditions {
      let pair = condition.split(separator: "=", maxSplits: 1).map { String($0).trimmed }
      guard pair.count == 2 else { throw defect("has a condition without a value") }
      if pair[0] == "phase" {
        guard let phase = Phase(rawValue: pair[1]) else {
          throw defect(
            "names no phase of " + Phase.allCases.map(\.rawValue).joined(separator: ", "))
        }
        self.phase = phase
        continue
      }
      guard ["rank", "step", "attempt", "times"].contains(pair[0]) else {
        throw defect("has a condition \(pair[0]) beside rank, step, phase, attempt and times")
      }
      guard let number = Int(pair[1]), number >= (pair[0] == "rank" ? 0 : 1) else {
        throw defect("has no whole number in \(pair[0])")
      }
      switch pair[0] {
      case "rank": rank = number
      case "step": step = number
      case "attempt": attempt = number
      default: times = number
      }
    }
    if case .fail = action, ![.snapshot, .write, .publish].contains(phase) {
      throw defect("fails a write, which only the phases snapshot, write and publish have")
    }
    if case .flip = action, ![.backward, .exchange, .optimizer].contains(phase) {
      throw defect(
        "flips a bit, which only the phases backward and exchange (of the gradient) and optimizer "
          + "(of the weights) have")
    }
  }
}

extension InjectedFault.Action {
  /// The action with this name and value; nil for others.
  init?(_ name: String, _ value: String?) {
    switch (name, value) {
    case ("kill", nil): self = .kill
    case ("stop", nil): self = .stop
    case ("exit", let code?):
      guard let code = Int32(code), 0...255 ~= code else { return nil }
      self = .exit(code)
    case ("delay", let seconds?):
      guard let seconds = Double(seconds), 0...86400 ~= seconds else { return nil }
      self = .delay(seconds)
    case ("fail", let error):
      let known = InjectedFault.code(of: error ?? "EIO")
      guard let known else { return nil }
      self = .fail(known)
    case ("flip", let place):
      let numbers = (place ?? "0:0").split(separator: ":").map { Int($0) }
      guard numbers.count == 2, let element = numbers[0], let bit = numbers[1], element >= 0,
        0..<32 ~= bit
      else { return nil }
      self = .flip(element: element, bit: bit)
    default: return nil
    }
  }
}

extension InjectedFault {
  fileprivate static func code(of error: String) -> Int32? {
    errors.first { $0.name == error }?.code
  }
}

extension String {
  /// The text without spaces at both ends.
  fileprivate var trimmed: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
