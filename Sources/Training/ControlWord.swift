import Checkpoints
import MPI
import Monitoring

/// The message that every rank sends to all others in every step, so that all act at the same step.
///
/// Only rank 0's orders count; the other fields count from every rank. Wire format, one byte each but
/// for the numbers (8, little-endian) and the SHA-256 in hexadecimal (64, ASCII): orders, signals,
/// saving, size, FLOPs, compute time, weights, measured and modelled microjoules, SHA-256.
struct ControlWord: Equatable, Sendable {
  /// The actions that rank 0 orders after the step.
  struct Orders: OptionSet, Sendable {
    let rawValue: UInt8
    static let save = Orders(rawValue: 1)
    static let evaluate = Orders(rawValue: 2)
    /// The checkpoint of the best evaluation could not be saved.
    static let forgetBest = Orders(rawValue: 4)
  }

  /// The requests that a rank received from outside.
  struct Signals: OptionSet, Sendable {
    let rawValue: UInt8
    /// Save and continue.
    static let save = Signals(rawValue: 1)
    /// Save and stop.
    static let stop = Signals(rawValue: 2)
  }

  /// The progress of a rank's part of a checkpoint.
  enum Saving: UInt8, Sendable {
    case idle, writing, written, failed
  }

  var orders: Orders = []
  var signals: Signals = []
  var saving = Saving.idle
  var size = 0
  /// FLOPs of the matrix products of the rank's step.
  var flops = 0
  /// The time of the rank's forward and backward passes in this step, without waiting, in
  /// microseconds.
  var computeMicroseconds = 0
  /// The checksum of the weights with which the rank computed the step; 0 with a single rank.
  var weights = 0
  /// The energy since the rank's last word, in whole microjoules.
  var energy: Energy {
    get { Energy(measured: Double(measured) / 1e6, modelled: Double(modelled) / 1e6) }
    set {
      (measured, modelled) = (Int(newValue.measured * 1e6), Int(newValue.modelled * 1e6))
    }
  }
  private var measured = 0
  private var modelled = 0
  var sha256 = ""

  static let byteCount = 3 + 6 * 8 + 64

  var bytes: [UInt8] {
    var bytes = [orders.rawValue, signals.rawValue, saving.rawValue]
    for number in [size, flops, computeMicroseconds, weights, measured, modelled] {
      bytes += (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
    bytes += Array(sha256.utf8.prefix(64))
    return bytes + [UInt8](repeating: 0, count: ControlWord.byteCount - bytes.count)
  }

  init() {}

  init(_ bytes: ArraySlice<UInt8>) {
    let bytes = Array(bytes)
    precondition(bytes.count == ControlWord.byteCount, "a control word of \(bytes.count) bytes")
    orders = Orders(rawValue: bytes[0])
    signals = Signals(rawValue: bytes[1])
    saving = Saving(rawValue: bytes[2]) ?? .idle
    let number = { (start: Int) in
      (0..<8).reduce(0) { $0 | Int(bytes[start + $1]) << (8 * $1) }
    }
    (size, flops, computeMicroseconds) = (number(3), number(11), number(19))
    (weights, measured, modelled) = (number(27), number(35), number(43))
    sha256 = String(decoding: bytes[51...].prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Returns the words of all ranks, in the order of the ranks.
  ///
  /// Collective.
  func exchanged(over world: Communicator) throws -> [ControlWord] {
    let all = try world.allGather(bytes)
    return (0..<world.size).map {
      ControlWord(all[$0 * ControlWord.byteCount..<($0 + 1) * ControlWord.byteCount])
    }
  }
}
