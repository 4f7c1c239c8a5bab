import Layers
import Models
import RandomNumbers
import Tensors

/// Continues token sequences with a model, several from one prompt at a time.
///
/// The forward pass is the one that training uses, with the keys and values of earlier positions
/// kept. New token p of sequence s is chosen with number p of the stream (seed, step, s). When the
/// context is full, generation goes on with the newest three quarters of it.
public struct Generator {
  private let model: any LanguageModel
  private let configuration: any ModelConfiguration
  private let workspace: Workspace

  /// - Parameters:
  ///   - model: The network, bound to `workspace`.
  ///   - configuration: Its sizes.
  ///   - workspace: The memory to compute in.
  public init(
    _ model: any LanguageModel, configuration: any ModelConfiguration, in workspace: Workspace
  ) {
    self.model = model
    self.configuration = configuration
    self.workspace = workspace
  }

  /// What to generate.
  public struct Request: Sendable {
    /// Ids to continue; not empty, shorter than the model's context.
    public var prompt: [Int32]
    /// Numbers of the sequences to generate; each has its own random numbers.
    public var sequences: Range<Int>
    /// Most new tokens per sequence.
    public var maximum: Int
    /// How tokens are chosen.
    public var sampling: Sampling
    /// The token that ends a sequence; it is not part of the result.
    public var end: Int32?
    /// Ids at or above it are never chosen; the tokenizer's vocabulary, where the model's is larger.
    public var vocabulary: Int
    /// Seed of the choices.
    public var seed: UInt64
    /// Step of a run that generates while it trains; 0 elsewhere.
    public var step: Int

    /// See the properties.
    public init(
      prompt: [Int32], sequences: Range<Int> = 0..<1, maximum: Int, sampling: Sampling,
      end: Int32?, vocabulary: Int, seed: UInt64, step: Int = 0
    ) {
      self.prompt = prompt
      self.sequences = sequences
      self.maximum = maximum
      self.sampling = sampling
      self.end = end
      self.vocabulary = vocabulary
      self.seed = seed
      self.step = step
    }
  }

  /// The new tokens of every sequence.
  ///
  /// - Parameter onToken: Called with sequence number and id as each token is chosen.
  public func callAsFunction(
    _ request: Request, onToken: (_ sequence: Int, _ id: Int32) throws -> Void
  ) rethrows -> [[Int32]] {
    precondition(
      !request.prompt.isEmpty && request.prompt.count < configuration.context,
      "a prompt of \(request.prompt.count) tokens for a context of \(configuration.context)")
    precondition(
      (1...configuration.vocabulary).contains(request.vocabulary),
      "a choice from \(request.vocabulary) ids of \(configuration.vocabulary)")
    let count = request.sequences.count
    let streams = request.sequences.map {
      RandomStream(seed: request.seed, purpose: .sampling, request.step, $0)
    }
    var rows = [[Int32]](repeating: request.prompt, count: count)
    var isOpen = [Bool](repeating: true, count: count)
    var pass = newPass(count)
    var pending = rows.flatMap { $0 }
    for position in 0..<request.maximum where count > 0 && isOpen.contains(true) {
      let logits = model.logits(pending, pass)
      let length = pending.count / count
      pending = []
      for row in 0..<count {
        let last = logits.pointer + ((row + 1) * length - 1) * configuration.vocabulary
        let id = request.sampling.choose(
          from: UnsafeBufferPointer(start: last, count: request.vocabulary),
          uniform: streams[row].uniform(UInt64(position)))
        rows[row].append(id)
        pending.append(id)
        if id == request.end { isOpen[row] = false }
        if isOpen[row] { try onToken(request.sequences.lowerBound + row, id) }
      }
      if pass.caches[0].length == configuration.context {
        let kept = max(1, configuration.context * 3 / 4)
        pass = newPass(count)
        pending = rows.flatMap { $0.suffix(kept) }
      }
    }
    return rows.map { row in
      let new = row.dropFirst(request.prompt.count)
      return Array(new.prefix { $0 != request.end })
    }
  }

  /// The new tokens of every sequence, when nobody wants to hear of them one by one.
  public func callAsFunction(_ request: Request) -> [[Int32]] {
    self(request) { _, _ in }
  }

  private func newPass(_ sequences: Int) -> ForwardPass {
    ForwardPass(
      sequences: sequences,
      caches: configuration.caches(
        sequences: sequences, capacity: configuration.context, in: workspace))
  }
}
