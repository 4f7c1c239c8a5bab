/// Agreement between annotators beyond what their habits alone would bring about.
///
/// 1 is full agreement, 0 is that of chance, less than 0 is worse. Each is nil where it is not
/// defined: without an item, or when every label is the same, so that chance agrees always.
public enum Kappa {
  /// Cohen's kappa (1960) of two annotators who labelled the same items.
  ///
  /// With `labels[i]` of both for item i: (pₒ − pₑ) / (1 − pₑ), where pₒ is the share of items with
  /// equal labels and pₑ = Σₖ p₁ₖ·p₂ₖ from the shares of each label with each annotator.
  public static func cohen<Label: Hashable>(_ first: [Label], _ second: [Label]) -> Double? {
    precondition(first.count == second.count, "\(first.count) labels and \(second.count)")
    let count = first.count
    let equal = zip(first, second).reduce(0) { $0 + ($1.0 == $1.1 ? 1 : 0) }
    let (inFirst, inSecond) = (counts(first), counts(second))
    // Whole numbers: their sum does not depend on the order of a dictionary.
    let byChance = inFirst.reduce(0) { $0 + $1.value * inSecond[$1.key, default: 0] }
    guard count > 0, byChance < count * count else { return nil }
    return (Double(equal * count) - Double(byChance)) / Double(count * count - byChance)
  }

  /// Fleiss' kappa (1971) of any number of annotators, who need not be the same for every item.
  ///
  /// `counts[i][k]` annotators gave item i the label k. With nᵢ of them at item i, the agreement there
  /// is Pᵢ = Σₖ nᵢₖ(nᵢₖ − 1) / nᵢ(nᵢ − 1), and chance agrees with Σₖ pₖ², where pₖ is the mean share of
  /// label k over the items. For equal nᵢ this is Fleiss' definition; for others its generalisation by
  /// Gwet (2014). Items that fewer than two annotators labelled are left out.
  public static func fleiss(_ counts: [[Int]]) -> Double? {
    let items = counts.filter { $0.reduce(0, +) >= 2 }
    guard let labels = items.first?.count else { return nil }
    precondition(items.allSatisfy { $0.count == labels }, "items with other numbers of labels")
    var shares = [Double](repeating: 0, count: labels)
    var agreement = 0.0
    for item in items {
      let size = Double(item.reduce(0, +))
      for (label, count) in item.enumerated() { shares[label] += Double(count) / size }
      agreement += Double(item.reduce(0) { $0 + $1 * ($1 - 1) }) / (size * (size - 1))
    }
    let count = Double(items.count)
    let used = shares.filter { $0 > 0 }
    guard used.count > 1 else { return nil }
    let byChance = used.reduce(0) { $0 + ($1 / count) * ($1 / count) }
    return (agreement / count - byChance) / (1 - byChance)
  }

  private static func counts<Label: Hashable>(_ labels: [Label]) -> [Label: Int] {
    labels.reduce(into: [:]) { $0[$1, default: 0] += 1 }
  }
}
