/// Times of runs as people read them.
package enum Durations {
  /// Formats seconds as 0:17, 1:02:03 or, from a day on, 3 d 5 h; `-:--` if unknown.
  package static func text(_ seconds: Double?) -> String {
    guard let seconds, seconds.isFinite, seconds >= 0, seconds < 1e12 else { return "-:--" }
    let whole = Int(seconds.rounded())
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let (minutes, hours, days) = (whole / 60, whole / 3600, whole / 86400)
    if days > 0 { return "\(days) d \(hours % 24) h" }
    if hours > 0 { return "\(hours):\(two(minutes % 60)):\(two(whole % 60))" }
    return "\(minutes):\(two(whole % 60))"
  }
}
