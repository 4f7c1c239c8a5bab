import RandomNumbers
import Testing

@testable import Tokenizers

@Suite struct CollectionsTests {
  @Test func byteStringsKeepTheirNumbersWhileGrowing() {
    var table = ByteStringTable()
    let strings = (0..<3000).map {
      Array("\($0 * 7919)".utf8) + [UInt8](repeating: 0, count: $0 % 19)
    }
    for (index, string) in strings.enumerated() { #expect(table.insert(string) == (index, true)) }
    for (index, string) in strings.enumerated() {
      #expect(table.find(string) == index)
      #expect(Array(table[index]) == string)
    }
    #expect(table.insert(strings[17]) == (17, false))
    #expect(table.find([1, 2, 3]) == nil)
    #expect(table.count == 3000)
  }

  @Test func pairsKeepTheirNumbersWhileGrowing() {
    var table = PairTable()
    for number in UInt32(0)..<3000 {
      #expect(table.insert(TokenPair(number % 50, number), number: number) == number)
    }
    for number in UInt32(0)..<3000 {
      #expect(table.number(of: TokenPair(number % 50, number)) == number)
    }
    #expect(table.insert(TokenPair(1, 1), number: 9) == 1)
    #expect(table.number(of: TokenPair(2999, 49)) == PairTable.absent)
  }

  @Test func heapReturnsElementsInAscendingOrder() {
    var random = RandomSequence(RandomStream(seed: 3, purpose: .probe, 0))
    let numbers = (0..<500).map { _ in Int.random(in: 0..<100, using: &random) }
    var heap = BinaryHeap(Array(numbers[..<250]))
    for number in numbers[250...] { heap.push(number) }
    var sorted: [Int] = []
    while let number = heap.pop() { sorted.append(number) }
    #expect(sorted == numbers.sorted())
  }

  @Test func byteAlphabetEqualsThatOfGPT2() {
    #expect(ByteAlphabet.spelling(of: Array(" a\n\u{7F}é".utf8)) == "ĠaĊġÃ©")
    #expect(ByteAlphabet.bytesInOrder.prefix(2) == [0x21, 0x22])
    #expect(ByteAlphabet.bytesInOrder.suffix(1) == [0xAD])
    let all = Array(UInt8.min...UInt8.max)
    #expect(ByteAlphabet.bytes(spelled: ByteAlphabet.spelling(of: all)) == all)
    #expect(ByteAlphabet.bytes(spelled: "日") == nil)
    #expect(ByteAlphabet.bytes(spelled: " ") == nil)
  }
}
