import CKernels
import RandomNumbers

/// Which elements a dropout keeps: drawn from a stream, so the backward pass draws them again
/// instead of storing them.
public struct DropoutMask: Sendable {
  let key: SIMD2<UInt32>
  let threshold: UInt32
  let scale: Float

  /// Keeps each element with probability 1 − rate and divides it by that.
  ///
  /// - Parameters:
  ///   - rate: In (0, 1).
  ///   - stream: The numbers of this place in the network, step and micro-batch.
  public init(rate: Float, stream: RandomStream) {
    precondition(rate > 0 && rate < 1, "dropout rate \(rate)")
    key = stream.philox.key
    threshold = UInt32(Double(rate) * 0x1p32)
    scale = 1 / (1 - rate)
  }

  /// y = x with the mask's words from `first` (a multiple of 4) on; in place if both are the same.
  func apply(
    _ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, count: Int, first: Int = 0,
    adds: Bool = false
  ) {
    apus_dropout(y, x, count, key.x, key.y, UInt64(first), threshold, scale, adds)
  }
}

extension Tensor {
  /// Dropout (Srivastava and others 2014), inverted: kept elements are scaled by 1/(1 − rate).
  ///
  /// A nil mask gives the tensor unchanged.
  public func dropout(_ mask: DropoutMask?) -> Tensor {
    guard let mask else { return self }
    let y = Tensor(uninitialized: shape, type: type, in: workspace)
    let place = gradientPlace
    if type == .float32 {
      mask.apply(y.pointer, pointer, count: count)
    } else {
      // Pieces that stay in the cache, and begin where a block of the mask's words does.
      for start in stride(from: 0, to: count, by: 2048) {
        let piece = min(2048, count - start)
        workspace.withScratch(piece) { scratch in
          apus_expand_half(scratch, half + start, piece)
          mask.apply(scratch, scratch, count: piece, first: start)
          apus_round_half(y.half + start, scratch, piece)
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
