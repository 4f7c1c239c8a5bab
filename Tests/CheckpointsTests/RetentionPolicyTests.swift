import RandomNumbers
import Testing

@testable import Checkpoints

@Suite struct RetentionPolicyTests {
  @Test func theNewestAreKept() {
    let policy = RetentionPolicy(keep: 2)
    #expect(policy.stepsToDelete(from: [400, 100, 300, 200]) == [100, 200])
    #expect(policy.stepsToDelete(from: [100]) == [])
    #expect(policy.stepsToDelete(from: []) == [])
  }

  @Test func multiplesAndProtectedStepsAreKept() {
    let policy = RetentionPolicy(keep: 1, keepEvery: 200)
    let steps = [100, 200, 300, 400, 500]
    #expect(policy.stepsToDelete(from: steps, protecting: [300, 900]) == [100])
  }

  /// The growth is the largest that a run has, or below it where some checkpoints stay forever.
  @Test func theGrowthIsThatOfARun() {
    var random = RandomSequence(RandomStream(seed: 3, purpose: .probe))
    for _ in 0..<500 {
      let keepEvery = Bool.random(using: &random) ? Int.random(in: 1...7, using: &random) : nil
      let policy = RetentionPolicy(
        keep: Int.random(in: 1...5, using: &random), keepEvery: keepEvery)
      let every = Int.random(in: 0...4, using: &random)
      let step = Int.random(in: 0...20, using: &random)
      let steps = step + Int.random(in: 1...30, using: &random)
      var present = Array((0...step).suffix(Int.random(in: 0...policy.keep, using: &random)))
      let published = present.count
      var most = published
      for save in step + 1...steps
      where save == steps || every > 0 && save.isMultiple(of: every) {
        present.append(save)
        most = max(most, present.count)
        let deleted = policy.stepsToDelete(from: present)
        present.removeAll { deleted.contains($0) }
      }
      let growth = policy.growth(from: step, to: steps, every: every, published: published)
      #expect(keepEvery == nil ? growth == most - published : growth <= most - published)
    }
  }

  @Test func anyStepsAreSplitCorrectly() {
    var random = RandomSequence(RandomStream(seed: 2, purpose: .probe))
    for _ in 0..<300 {
      let steps = (0..<Int.random(in: 0...12, using: &random)).map { _ in
        Int.random(in: 0...30, using: &random)
      }
      let protected = Set((0..<3).map { _ in Int.random(in: 0...30, using: &random) })
      let keep = Int.random(in: 1...5, using: &random)
      let keepEvery = Bool.random(using: &random) ? Int.random(in: 1...7, using: &random) : nil
      let policy = RetentionPolicy(keep: keep, keepEvery: keepEvery)

      let deleted = policy.stepsToDelete(from: steps, protecting: protected)
      let left = Set(steps).subtracting(deleted)
      let newest = Set(Set(steps).sorted().suffix(keep))
      let multiples = Set(steps.filter { step in keepEvery.map { step % $0 == 0 } ?? false })
      #expect(left == newest.union(multiples).union(protected.intersection(steps)))
      #expect(deleted == Set(deleted).sorted())
      #expect(policy.stepsToDelete(from: left.sorted(), protecting: protected).isEmpty)
    }
  }
}
