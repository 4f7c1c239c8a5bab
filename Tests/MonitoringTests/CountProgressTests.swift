import Testing

@testable import Monitoring

@Suite struct CountProgressTests {
  private let clock = ManualClock()
  private let screen = Screen()

  private func progress(columns: (@Sendable () -> Int)?) -> CountProgress {
    CountProgress(
      "sampling", 100, "prompts", columns: columns,
      write: { [screen] in screen.write($0) }, now: { [clock] in clock.now })
  }

  @Test func aTerminalHasOneLineThatIsErased() {
    let progress = progress { 81 }
    clock.advance(.milliseconds(900))
    progress.advance(by: 10)
    #expect(screen.take() == "")
    clock.advance(.milliseconds(100))
    progress.advance(by: 10)
    #expect(screen.take() == "\rsampling  20/100 prompts  eta 0:04\u{1B}[K")
    clock.advance(.milliseconds(50))
    progress.advance()
    #expect(screen.take() == "")
    clock.advance(.seconds(1))
    progress.advance(by: 500)
    #expect(screen.take() == "\rsampling  100/100 prompts  eta 0:00\u{1B}[K")
    progress.finish()
    progress.finish()
    #expect(screen.take() == "\r\u{1B}[K")
  }

  @Test func workOnTheFirstUnitIsShown() {
    let progress = progress { 81 }
    clock.advance(.seconds(1))
    progress.advance(by: 0)
    #expect(screen.take() == "\rsampling  0/100 prompts  eta -:--\u{1B}[K")
  }

  @Test func aNarrowTerminalCutsTheLine() {
    let progress = progress { 12 }
    clock.advance(.seconds(2))
    progress.advance()
    #expect(screen.take() == "\rsampling  1\u{1B}[K")
  }

  @Test func aPipeHasALineEvery30Seconds() {
    let progress = progress(columns: nil)
    for _ in 0..<70 {
      clock.advance(.seconds(1))
      progress.advance()
    }
    progress.finish()
    #expect(
      screen.take() == """
        sampling  30/100 prompts  eta 1:10
        sampling  60/100 prompts  eta 0:40

        """)
  }
}
