import Foundation

extension Double {
  /// Returns the number with `count` digits after the point; one that rounds to 0 has no sign.
  package func decimals(_ count: Int) -> String {
    let text = String(format: "%.\(count)f", self)
    return sign == .minus && Double(text) == 0 ? String(text.dropFirst()) : text
  }
}
