import CKernels
import Glibc
import RandomNumbers

/// Fills `destination` with independent normal numbers of mean 0 and standard deviation `std` by
/// the Box–Muller transform: two numbers from every two words of the stream.
func fillNormal(
  _ destination: UnsafeMutableBufferPointer<Float>, std: Float, from stream: RandomStream
) {
  let chunk = 4096
  var words = [UInt32](repeating: 0, count: chunk)
  var start = 0
  while start < destination.count {
    apus_philox_words(&words, chunk, stream.philox.key.x, stream.philox.key.y, UInt64(start))
    for pair in stride(from: 0, to: min(chunk, destination.count - start), by: 2) {
      // (0, 1] for the logarithm, [0, 1) for the angle.
      let first = (Double(words[pair]) + 1) * 0x1p-32
      let second = Double(words[pair + 1]) * 0x1p-32
      let radius = (-2 * log(first)).squareRoot() * Double(std)
      destination[start + pair] = Float(radius * cos(2 * .pi * second))
      if start + pair + 1 < destination.count {
        destination[start + pair + 1] = Float(radius * sin(2 * .pi * second))
      }
    }
    start += chunk
  }
}
