/// Agreement between annotators, corrected for the agreement that is expected by chance.
///
/// 1 is full agreement, 0 is agreement at chance level, and a negative value is less than chance.
/// Each coefficient is nil where it is not defined: without items, or when all labels are equal, so
/// that the agreement by chance is 1.
package enum Kappa {
  /// Returns Cohen's kappa (1960) of two annotators who labelled the same items.
  ///
  /// κ = (pₒ − pₑ) / (1 − pₑ), where pₒ is the fraction of items with equal labels, pₑ = Σₖ
  /// p₁ₖ·p₂ₖ, and pⱼₖ is the fraction of annotator j's labels that are k. `first[i]` and
  /// `second[i]` are the two labels of item i.
  package static func cohen<Label: Hashable>(_ first: [Label], _ second: [Label]) -> Double? {
    precondition(first.count == second.count, "\(first.count) labels and \(second.count)")
    let count = first.count
    let equal = zip(first, second).reduce(0) { $0 + ($1.0 == $1.1 ? 1 : 0) }
    let (inFirst, inSecond) = (counts(first), counts(second))
    // Integers, so that the sum does not depend on the order of the dictionary.
    let byChance = inFirst.reduce(0) { $0 + $1.value * inSecond[$1.key, default: 0] }
    guard count > 0, byChance < count * count else { return nil }
    return (Double(equal * count) - Double(byChance)) / Double(count * count - byChance)
  }

  /// Returns Fleiss' kappa (1971) of any number of annotators, who can differ between items.
  ///
  /// `counts[i][k]`, nᵢₖ in the formula, is the number of annotators who gave item i the label k,
  /// and nᵢ = Σₖ nᵢₖ. The agreement on item i is Pᵢ = Σₖ nᵢₖ(nᵢₖ − 1) / nᵢ(nᵢ − 1), and the
  /// agreement by chance is Σₖ pₖ², where pₖ is the mean over the items of nᵢₖ/nᵢ. For equal nᵢ
  /// this is Fleiss' definition; for unequal nᵢ it is the generalisation of Gwet (2014). Items with
  /// fewer than two annotators are left out.
  package static func fleiss(_ counts: [[Int]]) -> Double? {
    let items = counts.filter { $0.reduce(0, +) >= 2 }
    guard let labels = items.first?.count else { return nil }
    precondition(items.allSatisfy { $0.count == labels }, "items with different numbers of labels")
    var fractions = [Double](repeating: 0, count: labels)
    var agreement = 0.0
    for item in items {
      let size = Double(item.reduce(0, +))
      for (label, count) in item.enumerated() { fractions[label] += Double(count) / size }
      agreement += Double(item.reduce(0) { $0 + $1 * ($1 - 1) }) / (size * (size - 1))
    }
    let count = Double(items.count)
    let used = fractions.filter { $0 > 0 }
    guard used.count > 1 else { return nil }
    let byChance = used.reduce(0) { $0 + ($1 / count) * ($1 / count) }
    return (agreement / count - byChance) / (1 - byChance)
  }

  private static func counts<Label: Hashable>(_ labels: [Label]) -> [Label: Int] {
    labels.reduce(into: [:]) { $0[$1, default: 0] += 1 }
  }
}
