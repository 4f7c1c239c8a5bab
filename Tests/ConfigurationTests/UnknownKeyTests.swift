import Configuration
import Testing

@Suite struct UnknownKeyTests {
  private func refused(_ text: String, _ overrides: String...) -> String {
    sentence {
      var reader = try ConfigurationReader(yaml: text, file: "run.yaml", overrides: overrides)
      _ = try Options(&reader)
    }
  }

  @Test(arguments: [
    ("stpes: 3", "stpes", "steps"),  // two neighbours swapped
    ("step: 3", "step", "steps"),
    ("optimiser: {learningRate: 1}", "optimiser", "optimizer"),
    ("optimizer: {learning_rate: 1}", "optimizer.learning_rate", "optimizer.learningRate"),
    ("optimizer: {learn: 1}", "optimizer.learn", "optimizer.learningRate"),
    ("learningRate: 1", "learningRate", "optimizer.learningRate"),
    ("model: {Tied: true}", "model.Tied", "model.tied"),
    ("model: {temperature: 1}", "model.temperature", "sample.temperature"),
  ])
  func theMostSimilarKeyIsSuggested(text: String, path: String, nearest: String) {
    #expect(
      refused(text) == "run.yaml line 1: there is no key \(path); did you mean \(nearest)?")
  }

  @Test(arguments: [
    ("lr", "optimizer.learningRate"), ("optimizer.LR", "optimizer.learningRate"),
    ("max_steps", "steps"), ("model.num-key_value-heads", "model.kvHeads"),
  ])
  func namesOfOtherTrainersAreKnown(name: String, key: String) {
    #expect(
      refused("", "\(name)=1") == "--set \(name)=1: there is no key \(name); did you mean \(key)?")
  }

  @Test func withoutASimilarKeyTheSchemaIsSuggested() {
    #expect(
      refused("seed: 1\nwhatever: 3")
        == "run.yaml line 2: there is no key whatever; apus config --phase PHASE --schema lists "
        + "the keys of a phase.")
  }

  @Test func allUnknownKeysAreListedInTheOrderOfTheFile() {
    let text = """
      # a comment
      zzz: 1
      model:
        famly: gpt2
        inner: {a: 1, b: 2}
      aaaa: []
      """
    #expect(
      refused(text, "model.tide=true", "steps=5")
        == "run.yaml line 2: there is no key zzz; apus config --phase PHASE --schema lists the "
        + "keys of a phase (also unknown: model.famly (run.yaml line 4, nearest: model.family), model.inner (run.yaml "
        + "line 5), aaaa (run.yaml line 6), model.tide (--set model.tide=true, nearest: "
        + "model.tied)).")
  }

  @Test func aLongUnknownKeyIsHandledQuickly() {
    let key = String(repeating: "k", count: 900)
    let clock = ContinuousClock()
    let time = clock.measure { #expect(refused("\(key): 1").contains("there is no key kkk")) }
    #expect(time < .seconds(1))
  }
}
