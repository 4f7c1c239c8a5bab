import Foundation

/// A regular expression of a user, in ICU's syntax, whose search takes bounded work.
///
/// ICU matches by backtracking: an expression such as `(.+)+!$` may take exponential time. The limit
/// counts ICU's steps, not seconds, so that the result is the same on every machine.
package struct RegularExpression: @unchecked Sendable {
  // Sendable: NSRegularExpression is immutable and may be used on any thread.

  /// A search that exceeds its limit of steps.
  package struct TooManySteps: Error {}

  private let expression: NSRegularExpression

  /// The reports of progress that a search may make beyond one for each position of the text; ICU
  /// makes one every 10,000 steps of a match and one at each position at which it begins.
  private static let mostReports = 1_000

  /// Compiles `text`; nil when it is not a regular expression.
  package init?(_ text: String) {
    guard let expression = try? NSRegularExpression(pattern: text) else { return nil }
    self.expression = expression
  }

  /// Compiles an expression that matches only whole texts, as `fullmatch` of Python does with `text`;
  /// nil when that is not a regular expression.
  package init?(matchingAll text: String) {
    guard RegularExpression(text) != nil else { return nil }
    self.init("\\A(?:\(text))\\z")
  }

  /// Returns true when the expression matches somewhere in `text`.
  package func isFound(in text: String) throws(TooManySteps) -> Bool {
    let range = NSRange(text.startIndex..., in: text)
    var reports = 0
    var (isFound, isStopped) = (false, false)
    expression.enumerateMatches(in: text, options: .reportProgress, range: range) {
      match, flags, stop in
      isFound = match != nil
      reports += 1
      isStopped = flags.contains(.internalError) || reports > Self.mostReports + range.length
      stop.pointee = ObjCBool(isFound || isStopped)
    }
    if isStopped && !isFound { throw TooManySteps() }
    return isFound
  }
}
