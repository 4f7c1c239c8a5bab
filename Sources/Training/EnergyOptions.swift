import Configuration
import Monitoring

/// The keys of a run's account of energy.
package struct EnergyOptions: Sendable {
  /// The power of a busy core in watts, where no counters can be read.
  package let wattsPerCore: Double
  /// Grams of CO₂ per kWh of the grid; nil if unknown.
  package let gramsPerKilowattHour: Double?

  package init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    wattsPerCore = try reader.number(
      "energy.wattsPerCore", default: EnergyMeter.defaultWattsPerCore, in: 0...10_000, unit: "W",
      decidesBits: false,
      help: "power of a busy core, for hosts whose energy counters cannot be read; the default "
        + "is the mean of Green Algorithms")
    gramsPerKilowattHour = try reader.optionalNumber(
      "energy.gramsPerKilowattHour", in: 0...100_000, unit: "g", decidesBits: false,
      help: "CO₂ per kWh of your grid, for the run's CO₂")
  }
}
