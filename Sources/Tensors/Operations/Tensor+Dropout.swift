import CKernels
import RandomNumbers

/// A dropout mask, drawn from a random stream: the backward pass draws it again instead of storing
/// it.
package struct DropoutMask: Sendable {
  let key: SIMD2<UInt32>
  let threshold: UInt32
  let scale: Float

  /// Creates a mask that keeps each element with probability 1 − rate and divides it by 1 − rate.
  ///
  /// - Parameters:
  ///   - rate: The probability of dropping an element, in (0, 1).
  ///   - stream: The random stream of this layer, step and micro-batch.
  package init(rate: Float, stream: RandomStream) {
    precondition(rate > 0 && rate < 1, "dropout rate \(rate)")
    key = stream.philox.key
    threshold = UInt32(Double(rate) * 0x1p32)
    scale = 1 / (1 - rate)
  }

  /// Writes the masked x to y, or adds it, with the mask's words from `first` (a multiple of 4) on.
  ///
  /// y may be x.
  func apply(
    _ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, count: Int, first: Int = 0,
    adds: Bool = false
  ) {
    apus_dropout(y, x, count, key.x, key.y, UInt64(first), threshold, scale, adds)
  }
}

extension Tensor {
  /// Returns inverted dropout (Srivastava and others 2014): kept elements are scaled by 1/(1 −
  /// rate).
  ///
  /// With a nil mask it returns the tensor unchanged.
  package func dropout(_ mask: DropoutMask?) -> Tensor {
    guard let mask else { return self }
    let y = Tensor(uninitialized: shape, type: type, in: workspace)
    let place = gradientPlace
    if type == .float32 {
      mask.apply(y.pointer, pointer, count: count)
    } else {
      // Pieces that fit into the cache and begin at a block of the mask's words.
      for start in stride(from: 0, to: count, by: 2048) {
        let piece = min(2048, count - start)
        workspace.withScratch(piece) { scratch in
          apus_expand_bf16(scratch, bf16 + start, piece)
          mask.apply(scratch, scratch, count: piece, first: start)
          apus_round_bf16(y.bf16 + start, scratch, piece)
        }
      }
    }
    return y.recorded(from: self) { dy in
      place.accumulate { dx, adds in
        mask.apply(dx, dy.pointer, count: dy.count, adds: adds)
      }
    }
  }
}
