import Files
import Foundation

/// Electric energy by its origin, in joules.
package struct Energy: Sendable, Equatable {
  /// The part that counters of the CPU packages measured.
  package var measured: Double
  /// The part that was modelled from CPU time.
  package var modelled: Double

  package init(measured: Double = 0, modelled: Double = 0) {
    self.measured = measured
    self.modelled = modelled
  }

  package var joules: Double { measured + modelled }
  package var kilowattHours: Double { joules / Energy.joulesPerKilowattHour }

  package static func + (one: Energy, other: Energy) -> Energy {
    Energy(measured: one.measured + other.measured, modelled: one.modelled + other.modelled)
  }

  static let joulesPerKilowattHour = 3.6e6

  /// Returns the energy of a run as a sentence: kWh with their origin, tokens per joule, and CO₂ if
  /// the grid's factor is given.
  ///
  /// - Parameters:
  ///   - tokens: The tokens that the run learned from.
  ///   - wattsPerCore: The constant of the model.
  ///   - gramsPerKilowattHour: Grams of CO₂ per kWh of the grid.
  package func sentence(tokens: Double, wattsPerCore: Double, gramsPerKilowattHour: Double?)
    -> String
  {
    let model = "CPU time × \(wattsPerCore) W per core (energy.wattsPerCore)"
    let counters = "the energy counters of the CPU packages"
    let origin =
      if modelled == 0 {
        "measured by \(counters)"
      } else if measured == 0 {
        "modelled as \(model)"
      } else {
        "\(Int((100 * modelled / joules).rounded())) % of it modelled as \(model), the rest measured "
          + "by \(counters)"
      }
    var parts = ["\(Energy.threeDigits(kilowattHours)) kWh, \(origin)"]
    if joules > 0 { parts.append("\(Energy.threeDigits(tokens / joules)) tokens per joule") }
    if let gramsPerKilowattHour {
      let grams = kilowattHours * gramsPerKilowattHour
      parts.append(
        (grams < 1000
          ? "\(Energy.threeDigits(grams)) g" : "\(Energy.threeDigits(grams / 1000)) kg")
          + " of CO₂ at \(gramsPerKilowattHour) g/kWh")
    }
    return parts.joined(separator: "; ")
  }

  /// Formats a number that is not negative with three significant digits and no exponent.
  package static func threeDigits(_ value: Double) -> String {
    guard value.isFinite, value > 0 else { return value == 0 ? "0" : "-" }
    return value.decimals(min(12, max(0, 2 - Int(log10(value).rounded(.down)))))
  }
}
