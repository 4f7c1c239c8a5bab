import Files
import Testing

@Suite struct CountsTests {
  @Test func nounsAgreeWithTheirNumbers() {
    #expect("\(0, "token"), \(1, "token"), \(2, "token")" == "0 tokens, 1 token, 2 tokens")
    #expect("\(1, "file is", "files are") \(3, "file is", "files are")" == "1 file is 3 files are")
  }
}
