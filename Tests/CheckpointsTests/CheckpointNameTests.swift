import Testing

@testable import Checkpoints

@Suite struct CheckpointNameTests {
  @Test(arguments: [
    (CheckpointName.published(step: 1000), "step-00001000"),
    (.published(step: 0), "step-00000000"),
    (.published(step: 1_234_567_890), "step-1234567890"),
    (.draft(step: 5, attempt: "a-B_9"), "step-00000005.a-B_9.tmp"),
    (.replaced(step: 5), "step-00000005.replaced"),
    (.damaged(step: 5, copy: 0), "step-00000005.damaged"),
    (.damaged(step: 5, copy: 12), "step-00000005.damaged-12"),
    (.deleting(step: 5, copy: 1), "step-00000005.deleting-1"),
  ])
  func namesAreWrittenAndParsed(name: CheckpointName, text: String) {
    #expect(name.text == text)
    #expect(CheckpointName(text) == name)
  }

  @Test(arguments: [
    "", "step-", "step-1", "step-0000001", "step--0000001", "step-+0000001", "step-000000001",
    "step-99999999999999999999", "Step-00000001", "step-00000001.", "step-00000001.tmp",
    "step-00000001..tmp", "step-00000001.a.b.tmp", "step-00000001.a b.tmp",
    "step-00000001.damaged-", "step-00000001.damaged-0", "step-00000001.damaged-01",
    "step-00000001.damaged-1-2", "step-00000001.replaced-1", "step-00000001.old", " step-00000001",
    "step-٠٠٠٠٠٠٠١",
  ])
  func otherNamesAreNotParsed(text: String) {
    #expect(CheckpointName(text) == nil)
  }
}
