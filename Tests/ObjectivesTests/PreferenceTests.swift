import Foundation
import Tensors
import Testing

@testable import Objectives

/// Losses on pairs, compared with TRL's.
@Suite struct PreferenceTests {
  @Test func bradleyTerryEqualsThatOfTRL() throws {
    let golden = try Golden("bradleyTerry")
    let scores = try golden.floats("scores")
    var error = 0.0
    for setting in try golden.cases() {
      let objective = BradleyTerry(centring: try setting.number("centring"))
      let margins = try setting.flag("margin") ? try golden.floats("margins") : nil
      let loss = differentiated(scores) { objective($0, margins: margins) }
      error = max(error, worst([loss.total], [try setting.number("loss")]))
      error = max(error, worst(loss.gradient, try setting.numbers("gradient")))
      #expect(loss.count == 6)
      let check = differences(scores) { objective($0, margins: margins) }
      #expect(check.worstError < 2e-3, "\(check.place)")
    }
    print("Bradley–Terry: worst error \(error)")
    #expect(error <= tolerance)
  }

  @Test func bradleyTerryReportsAccuracyAndMargin() throws {
    let loss = differentiated([2, 1, 0, 3, 1, 1]) { BradleyTerry()($0) }
    #expect(loss.count == 3)
    #expect(loss.measures[.accuracy] == 0.5)
    #expect(loss.measures[.margin] == -2.0 / 3)
    #expect(loss.measures[.chosenReward] == 1)
    #expect(loss.measures.count(of: .accuracy) == 3)
  }

  @Test func extremeScoresNeitherOverflowNorUnderflow() {
    let loss = differentiated([-500, 500, 500, -500]) { BradleyTerry()($0) }
    #expect(loss.total == 1000)
    #expect(loss.gradient == [-1, 1, 0, 0])
  }

  @Test func directPreferenceEqualsThatOfTRL() throws {
    let golden = try Golden("preferences")
    let policy = try golden.floats("policy")
    let reference = try golden.floats("reference")
    let lengths = try golden.integers("lengths")
    var error = 0.0
    for setting in try golden.cases() {
      let form: DirectPreference.Form =
        try setting.text("kind") == "ipo"
        ? .ipo : .sigmoid(labelSmoothing: try setting.number("labelSmoothing"))
      let objective = DirectPreference(beta: try setting.number("beta"), form: form)
      let run = { (policy: Tensor) in
        objective(policy: policy, reference: reference, lengths: lengths)
      }
      let loss = differentiated(policy, run)
      error = max(error, worst([loss.total], [try setting.number("loss")]))
      error = max(error, worst(loss.gradient, try setting.numbers("gradient")))
      let rewards = [loss.measures[.chosenReward] ?? .nan, loss.measures[.rejectedReward] ?? .nan]
      error = max(
        error,
        worst(rewards, [try setting.number("chosenReward"), try setting.number("rejectedReward")]))
      #expect(abs((loss.measures[.margin] ?? .nan) - (rewards[0] - rewards[1])) < 1e-9)
      let check = differences(policy, run)
      #expect(check.worstError < 2e-3, "\(check.place)")
    }
    print("DPO, cDPO, IPO: worst error \(error)")
    #expect(error <= tolerance)
  }

  /// By `Goldens/generate_kto.py`.
  @Test func lossOfUnpairedPreferencesEqualsThatOfTRL() throws {
    let golden = try Golden(file: "kto.json")
    let policy = try golden.floats("policy")
    let reference = try golden.floats("reference")
    let klReference = try golden.floats("klReference")
    var error = 0.0
    for setting in try golden.cases() {
      let objective = KahnemanTversky(
        beta: try setting.number("beta"),
        desirableWeight: try setting.number("desirableWeight"),
        undesirableWeight: try setting.number("undesirableWeight"))
      let divergence = KahnemanTversky.divergence(
        policy: try setting.floats("klPolicy"), reference: klReference)
      #expect(abs(divergence - (try setting.number("kl"))) < 1e-6)
      let labels = try setting.flags("labels")
      let run = { (policy: Tensor) in
        objective(
          policy: policy, reference: reference, lengths: labels.map { _ in 2 },
          isDesirable: labels, divergence: divergence)
      }
      let loss = differentiated(policy, run)
      error = max(error, worst([loss.total], [try setting.number("loss")]))
      error = max(error, worst(loss.gradient, try setting.numbers("gradient")))
      for (measure, key) in [
        (Measure.chosenReward, "chosenReward"), (.rejectedReward, "rejectedReward"),
      ] where loss.measures[measure] != nil {
        error = max(error, worst([loss.measures[measure] ?? .nan], [try setting.number(key)]))
      }
      #expect(loss.measures.count(of: .chosenReward) == Double(labels.count { $0 }))
      #expect(loss.measures.count(of: .logProbability) == Double(2 * labels.count { $0 }))
      #expect(loss.count == 6)
      let check = differences(policy, run)
      #expect(check.worstError < 2e-3, "\(check.place)")
    }
    print("KTO: worst error \(error)")
    #expect(error <= tolerance)
  }

  @Test func aPolicyEqualToItsReferenceHasLossLogTwo() {
    let same: [Float] = [-12.5, -3.25, -700, -1]
    let loss = differentiated(same) {
      DirectPreference(beta: 0.25)(policy: $0, reference: same, lengths: [4, 2, 90, 1])
    }
    #expect(loss.total == Double(Float(log(2.0))) * 2)
    #expect(loss.gradient == [-0.125, 0.125, -0.125, 0.125])
    #expect(loss.measures[.accuracy] == 0.5)
  }
}
