/// The work of a training step, measured or estimated on one machine.
package struct StepWork: Sendable, Equatable {
  /// Elements of the flat gradient, padding included.
  package var elements: Int
  /// Bytes of an element of the gradient on the wire: 4, in a fast reduction 2.
  package var gradientBytes: Int
  /// The most buffers of the gradient that a rank sends: 1 where its micro-batches make one node of
  /// the summation tree, as with powers of two.
  package var parts: Int
  /// The most sums of gradients that a host sends to others.
  package var partsPerHost: Int
  /// True when ranks of a host share memory, and one of them sends for all.
  package var hasTwoLevels: Bool
  /// Pieces in which the gradient is exchanged.
  package var buckets: Int
  /// Positions of all sequences of the step, padding included.
  package var tokens: Int
  /// Forward and backward passes of the rank with most micro-batches, in seconds.
  package var secondsCompute: Double
  /// The last backward pass, which the exchange of gradients overlaps, in seconds.
  package var secondsOverlapped: Double
  /// The optimizer's update of all elements with all threads of one host, in seconds.
  package var secondsUpdate: Double
  /// The fraction of the update that every rank makes for all elements, such as rounding to bf16.
  package var undividedUpdate: Double
  /// The rest of a step on one rank, in seconds.
  package var secondsOther: Double
  /// The rounds of DiLoCo; nil for ranks that agree on the weights after every step.
  package var rounds: Rounds?

  /// The workers of DiLoCo, each of which trains by itself for a round of steps.
  package struct Rounds: Sendable, Equatable {
    package let workers: Int
    package let steps: Int

    package init(workers: Int, steps: Int) {
      self.workers = workers
      self.steps = steps
    }
  }

  package init(
    elements: Int, gradientBytes: Int = 4, parts: Int = 1, partsPerHost: Int = 1,
    hasTwoLevels: Bool = true, buckets: Int, tokens: Int,
    secondsCompute: Double, secondsOverlapped: Double, secondsUpdate: Double,
    undividedUpdate: Double = 0, secondsOther: Double = 0
  ) {
    self.elements = elements
    self.gradientBytes = gradientBytes
    self.parts = parts
    self.partsPerHost = partsPerHost
    self.hasTwoLevels = hasTwoLevels
    self.buckets = buckets
    self.tokens = tokens
    self.secondsCompute = secondsCompute
    self.secondsOverlapped = secondsOverlapped
    self.secondsUpdate = secondsUpdate
    self.undividedUpdate = undividedUpdate
    self.secondsOther = secondsOther
  }
}
