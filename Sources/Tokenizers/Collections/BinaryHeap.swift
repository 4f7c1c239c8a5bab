/// A priority queue that returns the smallest element first.
///
/// Push and pop take O(log count).
struct BinaryHeap<Element: Comparable> {
  private var elements: [Element]

  /// Builds a heap of `elements` in O(count).
  init(_ elements: [Element] = []) {
    self.elements = elements
    for index in stride(from: elements.count / 2 - 1, through: 0, by: -1) { siftDown(index) }
  }

  mutating func push(_ element: Element) {
    elements.append(element)
    var child = elements.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      if !(elements[child] < elements[parent]) { break }
      elements.swapAt(child, parent)
      child = parent
    }
  }

  /// Removes and returns the smallest element; nil when the heap is empty.
  mutating func pop() -> Element? {
    guard let last = elements.popLast() else { return nil }
    guard let first = elements.first else { return last }
    elements[0] = last
    siftDown(0)
    return first
  }

  private mutating func siftDown(_ start: Int) {
    var parent = start
    while true {
      var child = 2 * parent + 1
      if child >= elements.count { return }
      if child + 1 < elements.count, elements[child + 1] < elements[child] { child += 1 }
      if !(elements[child] < elements[parent]) { return }
      elements.swapAt(child, parent)
      parent = child
    }
  }
}
